/** The control plane dies under an open console, and comes back. */
import { expect, it } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { find, focused, press } from '../support/keyboard.ts';
import { echoService, startWorld } from '../support/world.ts';

it('goes from live to stale and back to live, with all that was on it', async () => {
  await using world = await startWorld({ name: 'outage', seed: [echoService('weather')] });
  await using browser = await openBrowser();
  const session = await world.open('weather');
  // The page that is looked at later is one that was seen before.
  const page = await browser.open(world, '/services/weather');
  await page.getByText('1 of 1 instances are ready').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.getByRole('heading', { name: 'Services', level: 1 }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('weather');
  await page.locator('[data-live=live]').waitFor();
  await page.getByRole('link', { name: '1 open session' }).waitFor();

  await world.killControlPlane();
  await page.locator('[data-live=stale]').waitFor();
  await page.getByText('The control plane does not answer').waitFor();
  await page.getByText('Open sessions and new connections go on').waitFor();
  await page.getByRole('row', { name: /weather/ }).waitFor();
  expect(await session.ask('still there')).toBe('still there');
  // An action says that it could not be done, and nothing is shown as done.
  const menu = page.getByRole('button', { name: 'Actions for weather' });
  await press(menu, 'Enter', { most: 12 });
  await focused(page.getByRole('menuitem', { name: 'Restart' }));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByText('That did not work').waitFor();
  await focused(menu);
  // Over the page too, where a panel lies on it.
  await press(page.getByRole('link', { name: 'weather', exact: true }), 'Enter', { most: 3, back: true });
  const instance = page.getByRole('button', { name: /^weather-\w+$/ });
  await press(instance);
  const panel = page.getByRole('dialog');
  await press(panel.getByRole('button', { name: 'Drain' }), 'Enter', { most: 8 });
  await panel.getByRole('button', { name: 'Put away' }).waitFor();
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  await focused(instance);
  await page.getByText('That did not work').waitFor();

  await world.startControlPlane();
  await page.locator('[data-live=live]').waitFor();
  await page.getByText('The control plane does not answer').waitFor({ state: 'hidden' });
  // Put away, and the focus goes on from there.
  await press(page.getByRole('button', { name: 'Put away' }), 'Enter', { back: true });
  await page.getByText('That did not work').waitFor({ state: 'hidden' });
  await focused(page.getByLabel('Instances wanted'));
  await find(page, 'Services');
  await page.getByRole('link', { name: '1 open session' }).waitFor();
  expect(browser.complaints).toEqual([]);
  await session.close();
});
