/** From an empty installation to the user's own agent answering through the gateway, in the console and by keyboard alone. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openBrowser, shoot } from '../support/browser.ts';
import { find, focused, press, reach, skip } from '../support/keyboard.ts';
import { repository, startWorld } from '../support/world.ts';

it('leads a new user to an answer of their own agent', async () => {
  await using world = await startWorld({ name: 'first run' });
  await using browser = await openBrowser();
  // The link that `up` shows on a terminal.
  const link = `/#sign-in=${(await world.client.signInCode()).code}`;
  const page = await browser.open(world, link, { signedOut: true });
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
  expect(new URL(page.url()).hash).toBe('');
  const late = await browser.open(world, link, { signedOut: true });
  await late.getByText('This link was used already').waitFor();
  await late.close();
  await shoot(page, 'first-run');
  await skip(page);
  await press(page.getByRole('link', { name: 'Add a service' }), 'Enter', { most: 2 });
  await reach(page.getByLabel('Configuration as YAML'), { most: 4 });
  await page.keyboard.press('Control+a');
  const command = [
    process.execPath,
    join(repository, 'deploy/examples/agents/weather.ts'),
    '--host',
    '{host}',
    '--port',
    '{port}',
  ];
  // Pasted, as people do.
  await page.keyboard.insertText(
    JSON.stringify({
      kind: 'Service',
      name: 'mine',
      spec: { launch: { command }, replicas: 1, probe: { type: 'myagent' } },
    }),
  );
  await page.getByRole('region', { name: 'What this will change' }).waitFor();
  await press(page.getByRole('button', { name: 'Add a service' }), 'Enter', { most: 1 });
  await page.getByRole('heading', { name: 'mine' }).waitFor();
  await page.getByText('1 of 1 instances are ready').waitFor();
  // Sooner than a person could go there the gateway may not have looked at it yet.
  await world.ready('mine', 1);
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await press(page.getByRole('link', { name: 'Open the playground' }), 'Enter', { most: 2 });
  await press(page.getByRole('button', { name: 'Connect', exact: true }), 'Enter', { most: 3 });
  const message = page.getByPlaceholder('Message to the agent');
  await focused(message);
  await page.keyboard.type('weather in Paris?');
  await page.keyboard.press('Enter');
  await page
    .getByRole('log')
    .getByText(/^.*Paris: .*Sample data/)
    .first()
    .waitFor();
  await page
    .getByText('Why it is there')
    .or(page.getByRole('link', { name: 'To its instance' }))
    .first()
    .waitFor();
  await shoot(page, 'playground-talking');
  // Each message opens to its raw text: one stop for Tab, arrows from there.
  await press(page.getByRole('log').locator('summary').last(), 'ArrowUp', { most: 1, back: true });
  await page.keyboard.press('Enter');
  await page.getByRole('log').locator('details[open] pre').waitFor();
  await find(page, 'Overview');
  await focused(page.getByRole('main'));
  await page.getByText('Your agent answers through the gateway.').waitFor();
  await shoot(page, 'first-run-done');
  expect(browser.complaints).toEqual([]);
});
