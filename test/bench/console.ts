/**
 * The console in a real Chromium at 100 services of 3 instances and thousands of open sessions, some of which come and go: how soon a page is usable on a
 * processor four times as slow, what live pages cost the browser, and how soon a killed instance is seen. One Envoy with the usual limit of
 * 20,000 open files holds no 10,000 sessions, so there are 9,000.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { echoService, startWorld, type World } from '../support/world.ts';
import { bounded, median, type Figure } from './figure.ts';
import { closeAll, cpuOf, open, openMany } from './load.ts';
import { startEchoAgent } from './processes.ts';

const [SERVICES, SESSIONS, EACH_SECOND] = [100, 9_000, 20];
const VIEW = { width: 1280, height: 860 };

const service = (number: number, port: number): Record<string, unknown> => ({
  kind: 'Service',
  name: `service-${String(number).padStart(3, '0')}`,
  spec: {
    runtime: 'external',
    addresses: [1, 2, 3].map((n) => ({ host: `127.1.${number}.${n}`, port })),
    probe: { type: 'tcp' },
  },
});

/** Milliseconds from a reload with an empty cache until live figures stand there. */
async function usable(page: Page, devtools: CDPSession, rounds: number): Promise<number[]> {
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await devtools.send('Network.clearBrowserCache');
    const begin = performance.now();
    await page.reload({ waitUntil: 'commit' });
    await page.locator('[data-live=live]').waitFor();
    took.push(performance.now() - begin);
  }
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  return took;
}

async function busyMs(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN);
}

/** Percent of a core that the page's own thread is busy, and the longest time in which it could do nothing else. */
async function cost(page: Page, devtools: CDPSession, ms: number): Promise<{ share: number; longestMs: number }> {
  await sleep(3_000);
  const longest = page.evaluate(
    async (duration) =>
      new Promise<number>((resolve) => {
        const begin = performance.now();
        let [last, most] = [begin, 0];
        const timer = setInterval(() => {
          const present = performance.now();
          most = Math.max(most, present - last - 50);
          last = present;
          if (present - begin < duration) return;
          clearInterval(timer);
          resolve(most);
        }, 50);
      }),
    ms,
  );
  const [begin, before] = [performance.now(), await busyMs(devtools)];
  const longestMs = await longest;
  return { share: (100 * ((await busyMs(devtools)) - before)) / (performance.now() - begin), longestMs };
}

/** Percent of a core that a process takes over the next `ms`. */
async function shareOf(pid: number, ms: number): Promise<number> {
  await sleep(2_000);
  const [begin, before] = [performance.now(), cpuOf(pid)];
  await sleep(ms);
  return (100 * (cpuOf(pid) - before)) / (performance.now() - begin);
}

/** Milliseconds from a kill until the overview says that something is wrong. */
async function seen(world: World, page: Page, rounds: number): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await world.ready('watched', 2);
    const link = page.getByRole('region', { name: 'Needs attention' }).getByRole('link', { name: /watched/ });
    await link.waitFor({ state: 'detached' });
    const agent = (await world.status()).agents.find((one) => one.service === 'watched');
    const begin = performance.now();
    process.kill(agent?.pid ?? 0, 'SIGKILL');
    await link.waitFor();
    took.push(performance.now() - begin);
  }
  return took;
}

export async function consoleBench(quick: boolean): Promise<Figure[]> {
  const agent = await startEchoAgent('0.0.0.0');
  const services = Array.from({ length: SERVICES }, (_, n) => service(n, agent.port));
  await using world = await startWorld({ seed: [...services, echoService('watched', { replicas: 2 })] });
  await using browser = await openBrowser();
  const stop = new AbortController();
  try {
    const url = (n: number): string => world.url(`service-${String(n % SERVICES).padStart(3, '0')}`);
    await world.until(
      'all are ready',
      async () =>
        (await world.client.instances()).items.filter(({ state }) => state === 'ready').length === SERVICES * 3 + 2,
      60_000,
    );
    const sockets = (
      await Promise.all(
        Array.from({ length: SERVICES }, async (_, n) => {
          await sleep(n * 100);
          return openMany(url(n), SESSIONS / SERVICES);
        }),
      )
    ).flat();
    const going = (async () => {
      for (let n = 0; !stop.signal.aborted; n += 1) {
        const [oldest] = sockets.splice(0, 1);
        sockets.push(await open(url(n)));
        oldest?.close();
        await sleep(1_000 / EACH_SECOND);
      }
    })();
    const page = await browser.open(world, '/', VIEW);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    const interactive = await usable(page, devtools, quick ? 3 : 7);
    const kills = await seen(world, page, quick ? 2 : 5);
    const figures = [
      bounded('console usable, processor 4x slower, nothing cached', 'ms', median(interactive), interactive, 1_500),
      bounded('a killed instance is on the screen', 'ms', median(kills), kills, 1_000),
    ];
    const { api } = await world.status();
    for (const path of ['/', '/services', '/sessions']) {
      await page.goto(`${api.url}${path}`);
      await page.locator('[data-live=live]').waitFor();
      const { share, longestMs } = await cost(page, devtools, quick ? 8_000 : 20_000);
      figures.push(
        bounded(`${path} live with ${SESSIONS} sessions, of a core in the browser`, '%', share, [share], 10),
        bounded(`${path} live with ${SESSIONS} sessions: longest stand`, 'ms', longestMs, [longestMs], 1_000),
      );
    }
    const { controlPlane } = await world.status();
    await page.goto(`${api.url}/`);
    await page.locator('[data-live=live]').waitFor();
    const ms = quick ? 8_000 : 20_000;
    const watched = await shareOf(controlPlane.pid, ms);
    await browser.closePages();
    const alone = await shareOf(controlPlane.pid, ms);
    figures.push(
      bounded('what an open console costs the control plane', '% of a core', watched - alone, [watched - alone], 2),
    );
    stop.abort();
    await going;
    await closeAll(sockets);
    return figures;
  } finally {
    stop.abort();
    agent.stop();
  }
}
