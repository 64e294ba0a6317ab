/** The control plane dies under an open console, and comes back. */
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { focused, press, skip } from '../support/keyboard.ts';
import { echoService, startWorld } from '../support/world.ts';

/** The page finds the API again only at the same address: a port that is free, and that the system gives to nobody else while the API is away. */
async function ownPort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => {
        resolve(false);
      });
      server.listen(port, '127.0.0.1', () => {
        resolve(true);
      });
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

it('goes from live to stale and back to live, with all that was on it', async () => {
  const port = await ownPort();
  await using world = await startWorld({
    name: 'outage',
    seed: [echoService('weather')],
    environment: { SWITCHBOARD_API_PORT: String(port) },
  });
  await using browser = await openBrowser();
  const session = await world.open('weather');
  const page = await browser.open(world, '/services?q=weather');
  await page.locator('[data-live=live]').waitFor();
  await page.getByRole('link', { name: '1 open session' }).waitFor();

  await world.killControlPlane();
  await page.locator('[data-live=stale]').waitFor();
  await page.getByText('The control plane does not answer').waitFor();
  await page.getByText('Open sessions and new connections go on').waitFor();
  await page.getByRole('row', { name: /weather/ }).waitFor();
  expect(await session.ask('still there')).toBe('still there');
  // An action says that it could not be done, and nothing is shown as done.
  await skip(page);
  const menu = page.getByRole('button', { name: 'Actions for weather' });
  await press(menu, 'Enter', { most: 12 });
  await focused(page.getByRole('menuitem', { name: 'Restart' }));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByText('That did not work').waitFor();
  await focused(menu);

  await world.startControlPlane();
  await page.locator('[data-live=live]').waitFor();
  await page.getByText('The control plane does not answer').waitFor({ state: 'hidden' });
  await page.getByRole('link', { name: '1 open session' }).waitFor();
  // Put away, and the focus goes on from there.
  await press(page.getByRole('button', { name: 'Put away' }), 'Enter', { most: 15, back: true });
  await page.getByText('That did not work').waitFor({ state: 'hidden' });
  await focused(page.getByRole('link', { name: 'Add a service' }));
  expect(browser.complaints).toEqual([]);
  await session.close();
});
