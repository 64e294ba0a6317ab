/** Every page in both themes and both languages: no violation of WCAG 2.2 AA that axe can find, nothing wider than a telephone, and a picture kept. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, shoot, type OpenBrowser } from '../support/browser.ts';
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
const ALL = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
/** What a theme or a width can change; the rest is the same in both. */
const LOOKS = {
  type: 'rule',
  values: ['color-contrast', 'target-size', 'scrollable-region-focusable', 'link-in-text-block'],
};

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

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

async function violations(page: Page, rules: typeof ALL): Promise<string[]> {
  const found = await page.evaluate<Violation[]>(
    `axe.run(document, { runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations'] }).then((all) => all.violations)`,
  );
  return found.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes[0]?.html ?? ''} (${nodes.length}) ${nodes[0]?.failureSummary ?? ''}`,
  );
}

it.each(Object.entries(PAGES))('%s', async (name, path) => {
  const page = await browser.open(world, path);
  await page.locator('h1').waitFor();
  await page.getByText('Loading', { exact: true }).waitFor({ state: 'hidden' });
  await page.evaluate(axe.source);
  const found: string[] = [];
  const check = async (look: string, rules = ALL): Promise<void> => {
    found.push(...(await violations(page, rules)).map((one) => `${look}: ${one}`));
  };
  await check('light en');
  await shoot(page, `${name}-light`);
  await page.getByRole('button', { name: 'Switch to the dark theme' }).click();
  await check('dark en', LOOKS);
  await shoot(page, `${name}-dark`);
  await page.getByRole('banner').getByRole('button', { name: '中文' }).click();
  await page.getByRole('button', { name: '切换到浅色主题' }).waitFor();
  await check('dark zh-CN');
  await page.getByRole('button', { name: '切换到浅色主题' }).click();
  await page.setViewportSize({ width: 360, height: 780 });
  // What is drawn to size, as the chart, is drawn again a moment after the window has another.
  let width = 0;
  for (let round = 0; round < 60; round += 1) {
    width = await page.evaluate('document.documentElement.scrollWidth');
    if (width <= 360) break;
    await page.waitForTimeout(50);
  }
  await check('light zh-CN on a telephone', LOOKS);
  await shoot(page, `${name}-telephone-zh`);
  await browser.closePages();
  expect(found).toEqual([]);
  expect(width).toBeLessThanOrEqual(360);
});

it('complains of nothing in the browser', () => {
  expect(browser.complaints).toEqual([]);
});
