/** What operators do in the console, in a real browser against the real control plane, Envoy and agents. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openBrowser, type OpenBrowser } from '../support/browser.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

let world: World;
let browser: OpenBrowser;

beforeAll(async () => {
  [world, browser] = await Promise.all([
    startWorld({
      name: 'console',
      seed: [
        // What falls stays down until a person sees to it: however slow the machine is, it can be seen.
        echoService('weather', { replicas: 2, description: 'Tells the weather', restart: { maxFailures: 1 } }),
        echoService('finance'),
      ],
    }),
    openBrowser(),
  ]);
});
afterEach(async () => {
  await browser.closePages();
});
afterAll(async () => {
  await Promise.all([browser[Symbol.asyncDispose](), world[Symbol.asyncDispose]()]);
});

it('signs in with the token, and says so when it is wrong', async () => {
  const page = await browser.open(world, '/', { signedOut: true });
  await page.getByLabel('Admin token').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('This token is not known').waitFor();
  await page.getByLabel('Admin token').fill(world.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('All is well').waitFor();
  await page.locator('[data-live=live]').waitFor();
});

it('shows a killed instance, leads to it from the overview, and puts another in its place', async () => {
  const page = await browser.open(world);
  await page.getByText('All is well').waitFor();
  const agent = (await world.status()).agents.find((one) => one.service === 'weather');
  process.kill(agent?.pid ?? 0, 'SIGKILL');
  const attention = page.getByRole('region', { name: 'Needs attention' });
  await attention.getByRole('link', { name: /weather/ }).click();
  const panel = page.getByRole('dialog', { name: /^weather-/ });
  await panel
    .getByText(/SIGKILL/)
    .first()
    .waitFor();
  await panel.getByRole('button', { name: 'Stop this instance' }).click();
  const question = page.getByRole('alertdialog');
  await question.getByText('No open session is touched.').waitFor();
  await question.getByRole('button', { name: 'Stop' }).click();
  await question.waitFor({ state: 'hidden' });
  await panel.getByText('This instance is gone').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('2 of 2 instances are ready').waitFor();
});

it('filters services by the address, and tells before it stops one how many sessions are touched', async () => {
  const session = await world.open('finance');
  const page = await browser.open(world, '/services?q=finan');
  await page.getByRole('row', { name: /finance/ }).waitFor();
  expect(await page.getByRole('row', { name: /weather/ }).count()).toBe(0);
  await page.getByRole('link', { name: '1 open session' }).waitFor();
  await page.getByRole('button', { name: 'Actions for finance' }).press('Enter');
  await page.getByRole('menuitem', { name: 'Stop' }).press('Enter');
  const question = page.getByRole('alertdialog');
  await question.getByText('1 open session may go on until the drain deadline').waitFor();
  await question.getByLabel('At once').check();
  await question.getByText('1 open session will end at once').waitFor();
  await question.getByRole('button', { name: 'Cancel' }).press('Enter');
  expect((await world.client.service('finance')).spec.enabled).toBe(true);
  await session.close();
});

it('edits a configuration: a mistake is told at its place, nothing typed is lost, and what will change is told before', async () => {
  const page = await browser.open(world, '/services/finance/config');
  const editor = page.getByLabel('Configuration as YAML');
  await editor.getByText('replicas').click();
  await page.keyboard.press('End');
  await page.keyboard.type('x');
  const problems = page.getByRole('region', { name: 'Not valid yet' });
  await problems.getByText(/Line \d+, spec\.replicas/).waitFor();
  expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  // Elsewhere and back, and a page loaded anew: the text is still there.
  await page.getByRole('link', { name: 'Logs' }).click();
  await page.getByRole('link', { name: 'Configuration' }).click();
  await problems.waitFor();
  await page.reload();
  await problems.waitFor();
  await editor.getByText('replicas').click();
  await page.keyboard.press('End');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('2');
  const change = page.getByRole('region', { name: 'What this will change' });
  await change.getByText('spec.replicas').waitFor();
  await change.getByText('No open session is touched.').waitFor();
  // Somebody else is quicker: the text stays, and the way on is offered.
  await world.client.patchService('finance', { labels: { by: 'another' } });
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Somebody else changed it meanwhile').waitFor();
  await page.getByRole('button', { name: 'Compare with what is there now' }).click();
  await page.getByLabel('Show what differs').uncheck();
  await change.getByText('labels.by').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(/Stored as revision \d+/).waitFor();
  await world.ready('finance', 2);
  // Saved at once, before the check that follows typing: what it does to sessions is asked all the same.
  const session = await world.open('finance');
  await world.until('it is counted', async () => (await world.client.service('finance')).status.sessions === 1);
  await editor.getByText('replicas').click();
  await page.keyboard.press('End');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('0');
  await page.getByRole('button', { name: 'Save' }).click();
  const question = page.getByRole('alertdialog');
  await question.getByText('1 open session may go on until the drain deadline').waitFor();
  await question.getByRole('button', { name: 'Cancel' }).click();
  expect((await world.client.service('finance')).spec.replicas).toBe(2);
  await page.getByRole('button', { name: 'Discard' }).click();
  await session.close();
});

it('finds a failing instance and why, with the keyboard alone', async () => {
  await world.client.putService(
    'broken',
    echoService('broken', { restart: { maxFailures: 2, initialBackoff: '100ms' } }, ['--fail']),
  );
  await world.until('it has given up', async () => (await world.client.service('broken')).status.state === 'failed');
  const page = await browser.open(world);
  await page.locator('[data-verdict=bad]').waitFor();
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Page, service, instance or action').waitFor();
  await page.keyboard.type('broken-');
  await page
    .getByRole('option', { name: /^broken-/ })
    .first()
    .waitFor();
  await page.keyboard.press('Enter');
  const panel = page.getByRole('dialog', { name: /^broken-/ });
  await panel.getByText('exit code 3').first().waitFor();
  await panel.getByText('this agent fails on purpose').waitFor();
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await page.getByRole('heading', { name: 'Events' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await world.client.deleteService('broken');
});

/** Presses Tab until the focus stands on what is called so; fails where it never comes. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let round = 0; round < 80; round += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<string>(
      `(() => { const one = document.activeElement; return one?.getAttribute('aria-label') ?? (one?.labels?.[0]?.textContent ?? one?.textContent ?? ''); })()`,
    );
    if (name.test(focused.trim())) return;
  }
  throw new Error(`Tab never comes to ${String(name)}`);
}

it('scales a service and drains an instance with the keyboard alone, and gives the focus back where it was', async () => {
  await world.client.scale('finance', 2);
  await world.ready('finance', 2);
  const page = await browser.open(world, '/');
  await page.getByText('All is well').waitFor();
  await page.keyboard.press('Tab');
  // The first stop passes over the menu.
  await page.keyboard.press('Enter');
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.getByRole('heading', { name: 'Services', level: 1 }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('finance');
  await page.getByRole('row', { name: /weather/ }).waitFor({ state: 'detached' });
  await tabTo(page, /^finance$/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'finance', level: 1 }).waitFor();
  await tabTo(page, /^Instances wanted$/);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  const question = page.getByRole('alertdialog');
  await question.getByText('No open session is touched.').waitFor();
  await tabTo(page, /^Scale$/);
  await page.keyboard.press('Enter');
  await question.waitFor({ state: 'hidden' });
  await page.getByText('3 of 3 instances are ready').waitFor();
  await page.locator('main').focus();
  await tabTo(page, /^finance-\w+$/);
  const opener = await page.evaluate<string>('document.activeElement.textContent.trim()');
  await page.keyboard.press('Enter');
  const panel = page.getByRole('dialog', { name: opener });
  await panel.getByRole('button', { name: 'Drain' }).waitFor();
  await tabTo(page, /^Drain$/);
  await page.keyboard.press('Enter');
  await question.waitFor();
  await tabTo(page, /^Cancel$/);
  await page.keyboard.press('Enter');
  await question.waitFor({ state: 'hidden' });
  await panel.waitFor();
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  await page.waitForFunction(`document.activeElement?.textContent?.trim() === ${JSON.stringify(opener)}`);
  await world.client.scale('finance', 2);
  await world.ready('finance', 2);
});

it('stops a service and shows how its sessions go, one by one, until it is stopped', async () => {
  const sessions = await Promise.all([world.open('finance'), world.open('finance'), world.open('finance')]);
  const page = await browser.open(world, '/services/finance');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  const question = page.getByRole('alertdialog');
  await question.getByText('3 open sessions may go on until the drain deadline').waitFor();
  await question.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Draining').first().waitFor();
  const left = async (): Promise<number> => {
    const texts = await page.locator('tbody tr td:nth-child(3)').allTextContents();
    return texts.reduce((sum, text) => sum + Number(text), 0);
  };
  for (const [index, session] of sessions.entries()) {
    await world.until('the count has fallen', async () => (await left()) === sessions.length - index);
    await session.close();
  }
  await page.getByText('The service is stopped.').waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await world.ready('finance', 2);
  await page.getByText('2 of 2 instances are ready').waitFor();
});

it('drains an instance for maintenance, watches the count fall, and takes it back into service', async () => {
  const session = await world.open('weather');
  const id = session.greeting.instance;
  const page = await browser.open(world, `/services/weather?instance=${id}`);
  await page.getByRole('dialog').getByRole('button', { name: 'Drain', exact: true }).click();
  const question = page.getByRole('alertdialog');
  await question
    .getByText(/1 open session|No open session/)
    .first()
    .waitFor();
  await question.getByRole('button', { name: 'Drain' }).click();
  await question.waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  const draining = page.getByRole('region', { name: 'Draining' });
  await draining.getByText('1 session left').waitFor();
  await session.close();
  await draining.getByText('0 sessions left').waitFor();
  await draining.getByRole('button', { name: `End the drain of ${id}` }).click();
  await draining.waitFor({ state: 'hidden' });
  await world.ready('weather', 2);
});

it('takes a canary further and back again', async () => {
  const canary = {
    strategy: 'canary',
    steps: [
      { weight: 20, pause: 'manual' },
      { weight: 60, pause: 'manual' },
    ],
  };
  const mark = (text: string): object => echoService('weather', { replicas: 2, rollout: canary }, ['--mark', text]);
  await world.client.putService('weather', mark('one'));
  await world.client.steerRollout('weather', 'promote-full');
  await world.until('the first is over', async () => {
    const { items } = await world.client.rollouts();
    return items.every((one) => one.phase === 'completed');
  });
  await world.client.putService('weather', mark('two'));
  const page = await browser.open(world, '/services/weather/rollout');
  const step = page.locator('[aria-current=step]');
  await step.getByText('20 %').waitFor();
  await page.getByRole('cell', { name: '20 %' }).waitFor();
  await page.getByRole('button', { name: 'Promote', exact: true }).click();
  await page.getByRole('alertdialog').getByText('No open session is touched.').waitFor();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Promote' }).click();
  await step.getByText('60 %').waitFor();
  await page.getByRole('cell', { name: '60 %' }).waitFor();
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Take back' }).click();
  await page.getByText('Taken back').first().waitFor();
  await world.until(
    'the old version has everything again',
    async () => (await world.client.rollout('weather')).phase === 'aborted',
  );
  await world.ready('weather', 2);
});

it('tells where a request would go and why, and which field is wrong', async () => {
  const page = await browser.open(world, '/routes');
  const tester = page.getByRole('region', { name: 'Where would a request go?' });
  await tester.getByLabel('Path, with its query').fill('/agents/finance');
  await tester.getByLabel('Client address').fill('nowhere');
  await tester.getByRole('button', { name: 'Explain' }).click();
  await tester.getByText('must be an IP address').waitFor();
  expect(await tester.getByLabel('Client address').inputValue()).toBe('nowhere');
  await tester.getByLabel('Client address').fill('10.1.2.3');
  await tester.getByLabel('Client address').press('Enter');
  await tester
    .getByRole('cell', { name: /^finance-/ })
    .first()
    .waitFor();
});

it('shows every session as it opens and ends, and why it is where it is', async () => {
  const page = await browser.open(world, '/sessions');
  await page.getByText('No open session').waitFor();
  const session = await world.open('weather');
  const id = session.greeting.headers['x-request-id']?.slice(0, 8) ?? '';
  await page.getByRole('row').getByRole('button', { name: id }).click();
  const panel = page.getByRole('dialog');
  await panel.getByText('Why it is there').waitFor();
  await panel.getByText(session.greeting.instance, { exact: true }).waitFor();
  await session.close();
  await panel.getByText('How it ended').waitFor();
});

it('works on a telephone, in Chinese', async () => {
  const page = await browser.open(world, '/', { width: 360, height: 780, language: 'zh-CN', theme: 'dark' });
  await page.getByText('一切正常').waitFor();
  await page.getByRole('button', { name: '打开菜单' }).click();
  await page.getByRole('dialog').getByRole('link', { name: '服务' }).click();
  await page.getByRole('heading', { name: '服务', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'weather', exact: true }).click();
  await page.getByRole('heading', { name: 'weather', level: 1 }).waitFor();
  await page.getByRole('link', { name: '配置' }).click();
  await page.getByLabel('YAML 配置').waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  expect(await page.evaluate('document.documentElement.lang')).toBe('zh-CN');
});

it('says in Chinese what the control plane says, and in whose words an error is', async () => {
  await world.client.putService(
    'broken',
    echoService('broken', { restart: { maxFailures: 2, initialBackoff: '100ms' } }, ['--fail']),
  );
  await world.until('it has given up', async () => (await world.client.service('broken')).status.state === 'failed');
  const page = await browser.open(world, '/', { language: 'zh-CN' });
  await page
    .getByRole('region', { name: '需要处理' })
    .getByText(/以退出码 3 结束；连续失败 2 次后已放弃/)
    .waitFor();
  await page
    .getByRole('region', { name: '最近事件' })
    .getByText(/^已创建服务/)
    .first()
    .waitFor();
  await page
    .getByRole('region', { name: '需要处理' })
    .getByRole('link', { name: /broken/ })
    .click();
  await page.getByRole('dialog').getByText('以退出码 3 结束').first().waitFor();
  await page.getByRole('dialog').getByText('this agent fails on purpose').first().waitFor();
  await page.keyboard.press('Escape');
  const session = await world.open('weather');
  await page.getByRole('navigation', { name: '主菜单' }).getByRole('link', { name: /会话/ }).click();
  // Those of the stories before may still be on the list.
  const id = session.greeting.headers['x-request-id']?.slice(0, 8) ?? '';
  await page.getByRole('row').getByRole('button', { name: id }).click();
  await page
    .getByRole('dialog')
    .getByText(/指向 weather；策略 least-connections 选择了 weather-/)
    .waitFor();
  await session.close();
  await page
    .getByRole('dialog')
    .getByText(/关闭了连接/)
    .waitFor();
  await world.client.deleteService('broken');
});

it('complains of nothing in the browser', () => {
  expect(browser.complaints).toEqual([]);
});
