/** What operators do in the console, in a real browser against the real control plane, Envoy and agents; by keyboard alone where it does not say so. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openBrowser, shoot, type OpenBrowser } from '../support/browser.ts';
import { find, focused, press, reach, skip } from '../support/keyboard.ts';
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
  const field = page.getByLabel('Admin token');
  await focused(field);
  await page.keyboard.insertText('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('This token is not known').waitFor();
  await focused(field);
  await page.keyboard.insertText(world.token);
  await page.keyboard.press('Enter');
  await page.getByText('All is well').waitFor();
  await page.locator('[data-live=live]').waitFor();
  // The first stop passes over the menu, to what the page is about.
  await skip(page);
});

it('by mouse: shows a killed instance, leads to it from the overview, and puts another in its place', async () => {
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
  await page.keyboard.press('/');
  await focused(page.getByRole('searchbox'));
  const menu = page.getByRole('button', { name: 'Actions for finance' });
  await press(menu, 'Enter', { most: 12 });
  await focused(page.getByRole('menuitem', { name: 'Restart' }));
  await page.keyboard.press('ArrowDown');
  await focused(page.getByRole('menuitem', { name: 'Stop' }));
  await page.keyboard.press('Enter');
  const question = page.getByRole('alertdialog');
  await question.getByText('1 open session may go on until the drain deadline').waitFor();
  await press(question.getByLabel('At once'), 'Space', { most: 3 });
  await question.getByText('1 open session will end at once').waitFor();
  await press(question.getByRole('button', { name: 'Cancel' }), 'Enter', { most: 1 });
  await focused(menu);
  expect((await world.client.service('finance')).spec.enabled).toBe(true);
  await session.close();
});

/** In the editor: the cursor to the end of the line of a field, as its own search goes there. */
async function goToLine(page: Page, field: string): Promise<void> {
  await page.keyboard.press('Control+f');
  await focused(page.getByRole('textbox', { name: 'Find' }));
  await page.keyboard.type(field);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await focused(page.getByLabel('Configuration as YAML'));
  await page.keyboard.press('End');
}

it('edits a configuration: a mistake is told at its place, nothing typed is lost, and what will change is told before', async () => {
  const page = await browser.open(world, '/services/finance/config');
  const editor = page.getByLabel('Configuration as YAML');
  const save = page.getByRole('button', { name: 'Save' });
  await skip(page);
  await reach(editor, { most: 7 });
  await goToLine(page, 'replicas');
  await page.keyboard.type('x');
  const problems = page.getByRole('region', { name: 'Not valid yet' });
  const problem = problems.getByRole('button', { name: /Line \d+, spec\.replicas/ });
  await problem.waitFor();
  expect(await save.isDisabled()).toBe(true);
  // Elsewhere and back, and a page loaded anew: the text is still there, and the way to its mistake.
  await reach(page.getByRole('link', { name: 'Configuration' }), { most: 1, back: true });
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'Enter']) await page.keyboard.press(key);
  await page.getByRole('combobox', { name: 'Instance' }).waitFor();
  await focused(page.getByRole('link', { name: 'Logs' }));
  for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'Enter']) await page.keyboard.press(key);
  await problem.waitFor();
  await page.reload();
  await problem.waitFor();
  await skip(page);
  await reach(problem);
  await editor.waitFor();
  await page.keyboard.press('Enter');
  await focused(editor);
  await page.keyboard.press('End');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('2');
  const change = page.getByRole('region', { name: 'What this will change' });
  await change.getByText('spec.replicas').waitFor();
  await change.getByText('No open session is touched.').waitFor();
  // Somebody else is quicker: the text stays, and the way on is offered.
  await world.client.patchService('finance', { labels: { by: 'another' } });
  await press(save, 'Enter', { most: 1 });
  await page.getByText('Somebody else changed it meanwhile').waitFor();
  await press(page.getByRole('button', { name: 'Compare with what is there now' }), 'Enter', { most: 3 });
  await focused(editor);
  await press(page.getByLabel('Show what differs'), 'Space', { most: 3 });
  await change.getByText('labels.by').waitFor();
  await press(save, 'Enter', { most: 3, back: true });
  await page.getByText(/Stored as revision \d+/).waitFor();
  await world.ready('finance', 2);
});

it('asks what a configuration does to sessions also when it is saved at once, before the check that follows typing', async () => {
  const session = await world.open('finance');
  await world.until('it is counted', async () => (await world.client.service('finance')).status.sessions === 1);
  const page = await browser.open(world, '/services/finance/config');
  const save = page.getByRole('button', { name: 'Save' });
  await skip(page);
  await reach(page.getByLabel('Configuration as YAML'), { most: 7 });
  await goToLine(page, 'replicas');
  // In one stroke: a text in between would be checked too, and be found wrong.
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.type('0');
  await press(save, 'Enter', { most: 1 });
  const question = page.getByRole('alertdialog');
  await question.getByText('1 open session may go on until the drain deadline').waitFor();
  await page.keyboard.press('Escape');
  await focused(save);
  expect((await world.client.service('finance')).spec.replicas).toBe(2);
  await press(page.getByRole('button', { name: 'Discard' }), 'Enter', { most: 1 });
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
  await find(page, 'broken-', /^broken-/);
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

it('scales a service and drains an instance, and gives the focus back where it was', async () => {
  await world.client.scale('finance', 2);
  await world.ready('finance', 2);
  const page = await browser.open(world, '/');
  await page.getByText('All is well').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.getByRole('heading', { name: 'Services', level: 1 }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('finance');
  await page.getByRole('row', { name: /weather/ }).waitFor({ state: 'detached' });
  await press(page.getByRole('link', { name: 'finance', exact: true }), 'Enter', { most: 8 });
  await page.getByRole('heading', { name: 'finance', level: 1 }).waitFor();
  const wanted = page.getByLabel('Instances wanted');
  await press(wanted, 'ArrowUp', { most: 1 });
  await page.keyboard.press('Enter');
  const question = page.getByRole('alertdialog');
  await question.getByText('No open session is touched.').waitFor();
  // Not yet; what was typed is still there.
  await press(question.getByRole('button', { name: 'Cancel' }), 'Enter', { most: 3 });
  await focused(wanted);
  expect(await wanted.inputValue()).toBe('3');
  await press(page.getByRole('button', { name: 'Scale', exact: true }), 'Enter', { most: 1 });
  await press(question.getByRole('button', { name: 'Scale' }), 'Enter', { most: 4 });
  await question.waitFor({ state: 'hidden' });
  await page.getByText('3 of 3 instances are ready').waitFor();
  // The button has gone with the difference: what stands beside it has the focus.
  await focused(wanted);
  const opener = page.getByRole('button', { name: /^finance-\w+$/ }).first();
  await press(opener, 'Enter', { most: 20 });
  const panel = page.getByRole('dialog', { name: (await opener.textContent()) ?? '' });
  await press(panel.getByRole('button', { name: 'Drain' }), 'Enter', { most: 8 });
  await press(question.getByRole('button', { name: 'Cancel' }), 'Enter', { most: 3 });
  await question.waitFor({ state: 'hidden' });
  await focused(panel.getByRole('button', { name: 'Drain' }));
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  await focused(opener);
  await world.client.scale('finance', 2);
  await world.ready('finance', 2);
});

it('by mouse: stops a service and shows how its sessions go, one by one, until it is stopped', async () => {
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
  const panel = page.getByRole('dialog');
  await press(panel.getByRole('button', { name: 'Drain', exact: true }), 'Enter', { most: 8 });
  const question = page.getByRole('alertdialog');
  await question
    .getByText(/1 open session|No open session/)
    .first()
    .waitFor();
  await press(question.getByRole('button', { name: 'Drain' }), 'Enter', { most: 4 });
  await question.waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  // A link had opened it: there is nowhere to go back to but the page.
  await focused(page.getByRole('main'));
  const draining = page.getByRole('region', { name: 'Draining' });
  await draining.getByText('1 session left').waitFor();
  await session.close();
  await draining.getByText('0 sessions left').waitFor();
  await press(draining.getByRole('button', { name: `End the drain of ${id}` }));
  await draining.waitFor({ state: 'hidden' });
  // The row has gone; the keyboard goes on from what stood beside it.
  await focused(page.getByRole('region', { name: 'Instances' }).getByRole('button').first());
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
  // Whoever does not know of it is told where they look first.
  const first = await browser.open(world, '/');
  const attention = first.getByRole('region', { name: 'Needs attention' });
  await attention.getByRole('link', { name: /^weather Rollout paused/ }).waitFor();
  await shoot(first, 'overview-canary-waits');
  await first.getByRole('link', { name: 'Services' }).first().click();
  await first
    .getByRole('row', { name: /weather/ })
    .getByText('Rollout paused')
    .waitFor();
  await shoot(first, 'services-canary-waits');
  await first
    .getByRole('row', { name: /weather/ })
    .getByText('Rollout paused')
    .click();
  await first.getByRole('button', { name: 'Promote', exact: true }).waitFor();
  const page = await browser.open(world, '/services/weather/rollout');
  const step = page.locator('[aria-current=step]');
  await step.getByText('20 %').waitFor();
  await page.getByRole('cell', { name: '20 %' }).waitFor();
  await skip(page);
  const promote = page.getByRole('button', { name: 'Promote', exact: true });
  await press(promote, 'Enter', { most: 7 });
  const question = page.getByRole('alertdialog');
  await question.getByText('No open session is touched.').waitFor();
  await press(question.getByRole('button', { name: 'Promote' }), 'Enter', { most: 4 });
  await focused(promote);
  await step.getByText('60 %').waitFor();
  await page.getByRole('cell', { name: '60 %' }).waitFor();
  await press(page.getByRole('button', { name: 'Take back' }), 'Enter', { most: 3 });
  await press(question.getByRole('button', { name: 'Take back' }), 'Enter', { most: 4 });
  await page.getByText('Taken back').first().waitFor();
  await focused(page.getByRole('button', { name: 'Try again' }));
  await world.until(
    'the old version has everything again',
    async () => (await world.client.rollout('weather')).phase === 'aborted',
  );
  await world.ready('weather', 2);
});

it('tells where a request would go and why, and which field is wrong', async () => {
  const page = await browser.open(world, '/routes');
  const tester = page.getByRole('region', { name: 'Where would a request go?' });
  const client = tester.getByLabel('Client address');
  await skip(page);
  await press(tester.getByLabel('Path, with its query'), 'Control+a', { most: 10 });
  await page.keyboard.type('/agents/finance');
  await reach(client, { most: 2 });
  await page.keyboard.type('nowhere');
  await press(tester.getByRole('button', { name: 'Explain' }), 'Enter', { most: 1 });
  await tester.getByText('must be an IP address').waitFor();
  expect(await client.inputValue()).toBe('nowhere');
  await press(client, 'Control+a', { most: 1, back: true });
  await page.keyboard.type('10.1.2.3');
  await page.keyboard.press('Enter');
  await tester
    .getByRole('cell', { name: /^finance-/ })
    .first()
    .waitFor();
  await focused(client);
});

it('shows every session as it opens and ends, and why it is where it is', async () => {
  const page = await browser.open(world, '/sessions');
  await page.getByText('No open session').waitFor();
  const session = await world.open('weather');
  const id = session.greeting.headers['x-request-id']?.slice(0, 8) ?? '';
  const row = page.getByRole('row').getByRole('button', { name: id });
  await row.waitFor();
  await page.keyboard.press('/');
  await press(row, 'Enter', { most: 12 });
  const panel = page.getByRole('dialog');
  await panel.getByText('Why it is there').waitFor();
  await panel.getByText(session.greeting.instance, { exact: true }).waitFor();
  await session.close();
  await panel.getByText('How it ended').waitFor();
  await row.waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  // Its row went behind the panel: the focus is beside it, not at the top of the page.
  await page.locator('main :focus, main:focus').waitFor();
});

it('works on a telephone, in Chinese', async () => {
  const page = await browser.open(world, '/', { width: 360, height: 780, language: 'zh-CN', theme: 'dark' });
  await page.getByText('一切正常').waitFor();
  const menu = page.getByRole('button', { name: '打开菜单' });
  await press(menu, 'Enter', { most: 2 });
  await press(page.getByRole('dialog').getByRole('link', { name: '服务' }), 'Enter', { most: 3 });
  await page.getByRole('heading', { name: '服务', level: 1 }).waitFor();
  await focused(page.getByRole('main'));
  await press(page.getByRole('link', { name: 'weather', exact: true }), 'Enter', { most: 20 });
  await page.getByRole('heading', { name: 'weather', level: 1 }).waitFor();
  await focused(page.getByRole('main'));
  await reach(page.getByRole('link', { name: '实例' }), { most: 6 });
  for (const key of ['ArrowRight', 'ArrowRight', 'Enter']) await page.keyboard.press(key);
  await page.getByLabel('YAML 配置').waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  expect(await page.evaluate('document.documentElement.lang')).toBe('zh-CN');
});

it('by mouse: says in Chinese what the control plane says, and in whose words an error is', async () => {
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
