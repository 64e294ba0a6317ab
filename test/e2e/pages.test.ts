/**
 * Every page in both themes and both languages: no violation of WCAG 2.2 AA that axe can find, nothing wider than a telephone, no stop of Tab that is hidden
 * or keeps the focus, and a picture kept.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ALL, LOOKS, violations } from '../support/axe.ts';
import { openBrowser, settled, shoot, type OpenBrowser } from '../support/browser.ts';
import { walk } from '../support/keyboard.ts';
import type { Crowd } from '../support/sessions.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const PAGES: Readonly<Record<string, string>> = {
  overview: '/',
  services: '/services',
  'services-cards': '/services?view=cards',
  add: '/add',
  service: '/services/weather',
  'service-config': '/services/weather/config',
  'service-versions': '/services/weather/versions',
  'service-rollout': '/services/weather/rollout',
  'service-logs': '/services/weather/logs',
  'service-events': '/services/weather/events',
  sessions: '/sessions',
  'sessions-ended': '/sessions?state=ended',
  routes: '/routes?edit=chat',
  gateways: '/gateways',
  'gateway-config': '/gateways/gateway-1/cds',
  topology: '/topology',
  events: '/events',
  playground: '/playground',
  settings: '/settings',
};
/** What steers a terminal, a progress bar, and a line without an end. */
const NOISY = String.raw`printf '\033]0;title\007\033[31mred\033[0m text\n10%%\r50%%\rall of it\n'; echo 'ERROR: bad' >&2; printf 'goes on'; sleep 600`;
let world: World;
let browser: OpenBrowser;
let crowd: Crowd;

beforeAll(async () => {
  [world, browser] = await Promise.all([
    startWorld({
      name: 'pages',
      waitReady: false,
      seed: [
        { ...echoService('weather', { replicas: 3, description: 'Tells the weather' }), labels: { team: 'research' } },
        echoService('finance', { replicas: 2 }),
        echoService('broken', { restart: { maxFailures: 2, initialBackoff: '100ms' } }, ['--fail']),
        echoService('archive', { enabled: false }),
        { kind: 'Service', name: 'noisy', spec: { launch: { command: ['/bin/sh', '-c', NOISY] } } },
        { kind: 'Service', name: 'remote', spec: { runtime: 'external', addresses: [{ host: '127.0.0.1', port: 9 }] } },
        echoService('one-with-a-name-as-long-as-a-name-may-well-be', { enabled: false }),
        { kind: 'Route', name: 'chat', spec: { match: { path: { prefix: '/chat' } }, target: { service: 'weather' } } },
      ],
    }),
    openBrowser(),
  ]);
  await world.ready('weather', 3);
  await world.until('it has given up', async () => (await world.client.service('broken')).status.state === 'failed');
  crowd = await world.crowd('weather', 30, 1_000);
});
afterAll(async () => {
  await crowd.close();
  await Promise.all([browser[Symbol.asyncDispose](), world[Symbol.asyncDispose]()]);
});

it.each(Object.entries(PAGES))('%s', async (name, path) => {
  const page = await browser.open(world, path);
  await settled(page);
  const found: string[] = [];
  const check = async (look: string, rules = ALL): Promise<void> => {
    found.push(...(await violations(page, rules)).map((one) => `${look}: ${one}`));
  };
  await check('light en');
  await shoot(page, `${name}-light`);
  await walk(page);
  await page.getByRole('button', { name: 'Switch to the dark theme' }).click();
  await check('dark en', LOOKS);
  await shoot(page, `${name}-dark`);
  await page.getByRole('banner').getByRole('button', { name: '中文' }).click();
  await page.getByRole('button', { name: '切换到浅色主题' }).waitFor();
  await check('dark zh-CN');
  await page.getByRole('button', { name: '切换到浅色主题' }).click();
  await page.setViewportSize({ width: 360, height: 780 });
  // What is drawn to size, as the chart, is drawn again a moment after the window has another.
  const width = async (): Promise<number> => page.evaluate<number>('document.documentElement.scrollWidth');
  await expect.poll(width, { timeout: 10_000 }).toBeLessThanOrEqual(360);
  await check('light zh-CN on a telephone', LOOKS);
  await shoot(page, `${name}-telephone-zh`);
  await browser.closePages();
  expect(found).toEqual([]);
});

/** What opens over a page or stands there only for a while: each in the lightest and in the narrowest look. */
const STATES: Readonly<Record<string, { path: string; open: (page: Page, words: Words) => Promise<void> }>> = {
  instance: {
    path: '/services/broken',
    async open(page) {
      await page
        .getByRole('button', { name: /^broken-/ })
        .last()
        .click();
      await page.getByRole('dialog').waitFor();
    },
  },
  session: {
    path: '/sessions',
    async open(page) {
      await page.getByRole('row').nth(1).getByRole('button').click();
      await page.getByRole('dialog').locator('h3').first().waitFor();
    },
  },
  question: {
    path: '/services/weather',
    async open(page, { stop }) {
      await page.getByRole('button', { name: stop, exact: true }).click();
      await page.getByRole('alertdialog').getByRole('checkbox').check();
    },
  },
  actions: {
    path: '/services?view=table&q=weather',
    async open(page) {
      await page.locator('tbody input[type=checkbox]').first().check();
      await page.locator('tbody [aria-haspopup=menu]').first().click();
      await page.getByRole('menu').waitFor();
    },
  },
  palette: {
    path: '/',
    async open(page) {
      await page.keyboard.press('Control+k');
      await page.getByRole('option').first().waitFor();
    },
  },
  hint: {
    path: '/',
    async open(page, { chart }) {
      await page.getByRole('button', { name: chart }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  explained: {
    path: '/routes',
    async open(page) {
      await page.locator('form input').first().press('Enter');
      await page
        .getByRole('cell', { name: /^finance-/ })
        .first()
        .waitFor();
    },
  },
  mistake: {
    path: '/services/finance/config',
    async open(page) {
      await page.locator('.cm-content').getByText('replicas').click();
      await page.keyboard.press('End');
      await page.keyboard.type('x');
      await page.locator('.cm-lintRange-error').first().waitFor();
      await page.keyboard.press('Control+f');
      await page.locator('.cm-search').waitFor();
    },
  },
  'noisy-log': {
    path: '/services/noisy/logs',
    async open(page) {
      const log = page.getByRole('group');
      for (const text of ['red text', 'all of it', 'ERROR: bad', 'goes on'])
        // It may have been started again by now.
        await log.getByText(text, { exact: true }).first().waitFor();
      expect(await log.getByText('10%').count()).toBe(0);
    },
  },
  'log-elsewhere': {
    path: '/services/remote/logs',
    async open(page, { elsewhere }) {
      await page.getByText(elsewhere).waitFor();
    },
  },
  talking: {
    path: '/playground?service=weather',
    async open(page) {
      await page.locator('form button[type=submit]').first().click();
      await page.getByRole('log').locator('summary').first().waitFor();
    },
  },
};
const ENGLISH = { stop: 'Stop', chart: 'About this chart', elsewhere: 'Look at 127.0.0.1:9.' };
const CHINESE: Words = { stop: '停止', chart: '关于此图', elsewhere: '请到 127.0.0.1:9 查看。' };
type Words = typeof ENGLISH;

it.each(Object.entries(STATES))('while it shows: %s', async (name, { path, open }) => {
  const found: string[] = [];
  for (const [words, look, rules] of [
    [ENGLISH, { theme: 'light', language: 'en' }, ALL],
    [CHINESE, { theme: 'dark', language: 'zh-CN', width: 360, height: 780 }, LOOKS],
  ] as const) {
    const page = await browser.open(world, path, look);
    await settled(page);
    await open(page, words);
    await settled(page);
    found.push(...(await violations(page, rules)).map((one) => `${look.theme} ${look.language}: ${one}`));
    await shoot(page, `${name}-${look.theme}`);
    await browser.closePages();
  }
  expect(found).toEqual([]);
});

it('complains of nothing in the browser', () => {
  expect(browser.complaints).toEqual([]);
});
