/**
 * A real Chromium for the console's stories, with a new empty profile each: `await using browser = await openBrowser()`. What the page logs as an
 * error, and every uncaught exception, is kept: a story ends by looking at it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { repository, type World } from './world.ts';

/** Screenshots are kept here for people to look at; git ignores it. */
const SHOTS = join(repository, 'test/e2e/screenshots');

/** `E2E_SLOWDOWN=6` makes each page as slow as on a machine six times slower: what a story only passes by luck shows. */
const SLOWDOWN = Number(process.env['E2E_SLOWDOWN'] ?? 1);

export interface OpenBrowser extends AsyncDisposable {
  /** A page of the console in a profile of its own, signed in. */
  open(world: World, path?: string, look?: Look): Promise<Page>;
  /** Closes what is open: a page that nobody looks at still costs its share of the machine. */
  closePages(): Promise<void>;
  /** What pages complained of so far. */
  readonly complaints: readonly string[];
}

export interface Look {
  readonly theme?: 'light' | 'dark';
  readonly language?: 'en' | 'zh-CN';
  readonly width?: number;
  readonly height?: number;
  /** Without it the token is given in the link. */
  readonly signedOut?: boolean;
}

/** A refused request is a complaint of the browser itself; a control plane that is away is part of some stories. */
const EXPECTED = /Failed to load resource|net::ERR_|WebSocket connection to/;

export async function openBrowser(): Promise<OpenBrowser> {
  const executablePath = execFileSync(process.execPath, [join(repository, 'deploy/setup/chromium.mjs')], {
    encoding: 'utf8',
  }).trim();
  const browser = await chromium.launch({
    executablePath,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const complaints: string[] = [];
  const contexts: BrowserContext[] = [];
  return {
    complaints,
    async open(world, path = '/', look = {}) {
      const context = await browser.newContext({
        viewport: { width: look.width ?? 1280, height: look.height ?? 860 },
        colorScheme: look.theme ?? 'light',
        locale: look.language ?? 'en',
        reducedMotion: 'reduce',
      });
      contexts.push(context);
      const page = await context.newPage();
      if (SLOWDOWN > 1)
        await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN });
      page.setDefaultTimeout(15_000);
      page.on('console', (message) => {
        if (message.type() === 'error' && !EXPECTED.test(message.text())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
      const { api } = await world.status();
      await page.goto(`${api.url}${path}${look.signedOut === true ? '' : `#token=${world.token}`}`);
      return page;
    },
    async closePages() {
      for (const context of contexts.splice(0)) await context.close();
    },
    async [Symbol.asyncDispose]() {
      for (const context of contexts) await context.close();
      await browser.close();
    },
  };
}

/** Until a page stands with all that it fetches; several parts may be on their way. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').waitFor();
  await page
    .getByText(/^(Loading|加载中)$/)
    .first()
    .waitFor({ state: 'hidden' });
}

/** Keeps a picture of the whole page as `<name>.png`. */
export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}
