/** What looking after 1,000 instances at default settings costs: a WebSocket handshake of each every 20 s, and a look at each process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { identify } from '../../control-plane/src/home/process-identity.ts';
import { Probe } from '../../control-plane/src/model/probe.ts';
import { websocketProbe } from '../../control-plane/src/probes/drivers/websocket.ts';
import { createHealthMonitor } from '../../control-plane/src/reconcile/health.ts';
import { bounded, type Figure } from './figure.ts';
import { startEchoAgent } from './processes.ts';

const INSTANCES = 1_000;

export async function healthChecks(quick: boolean): Promise<Figure[]> {
  const agent = await startEchoAgent('0.0.0.0');
  const process_ = identify(agent.pid);
  const monitor = createHealthMonitor({
    createProbe: () => websocketProbe.create(websocketProbe.options.parse({})),
    levelOf: () => 'websocket',
    now: () => Date.now(),
    random: Math.random,
    onChange: () => undefined,
  });
  const checks = [{ name: 'probe', probe: Probe.parse({}), effect: 'unhealthy' }] as const;
  try {
    monitor.sync(
      Array.from({ length: INSTANCES }, (_, number) => ({
        id: `i-${number}`,
        target: {
          host: `127.1.${Math.floor(number / 250)}.${1 + (number % 250)}`,
          port: agent.port,
          ...(process_ === undefined ? {} : { process: process_ }),
        },
        checks,
        useReports: true,
        starting: false,
      })),
    );
    // The first checks come anywhere in the first interval.
    await sleep(quick ? 5_000 : 22_000);
    const before = process.cpuUsage();
    const begin = performance.now();
    await sleep(quick ? 10_000 : 40_000);
    const { user, system } = process.cpuUsage(before);
    const share = (100 * (user + system)) / 1_000 / (performance.now() - begin);
    const unwell = Array.from({ length: INSTANCES }, (_, number) => monitor.verdict(`i-${number}`)).filter(
      (verdict) => verdict === 'unhealthy',
    ).length;
    return [
      bounded(`looking after ${INSTANCES} instances, of a core`, '%', share, [share], 5),
      bounded('of them found unhealthy', '', unwell, [unwell], 0),
    ];
  } finally {
    monitor.close();
    agent.stop();
  }
}
