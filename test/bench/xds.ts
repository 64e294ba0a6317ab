/** The xDS server at 1,000 services of 10 instances: a real Envoy's start, single changes in both variants, reconnects, crowds, churn, memory. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, findEnvoy } from '@switchboard/envoy';
import { cpuOf, open as openSocket } from './load.ts';
import { openEnvoyLike } from './envoy-like.ts';
import { bounded, median, quantile, type Figure } from './figure.ts';
import { goControlPlane } from './go-control-plane.ts';
import { freePort } from '../../control-plane/src/home/free-port.ts';
import { startEchoAgent } from './processes.ts';
import { startResponder } from './responder.ts';
import { Host, SIZE } from './xds-process.ts';

/** From the start of a real Envoy to its first session, and what that costs the control plane. */
async function envoyStart(variant: 'sotw' | 'delta', rounds: number, check: 'http' | 'tcp' | 'off'): Promise<Figure[]> {
  const [times, cpu, own]: [number[], number[], number[]] = [[], [], []];
  const { path } = await findEnvoy({ environment: process.env, path: undefined });
  const agent = await startEchoAgent();
  const responder = await startResponder(agent.port);
  for (let round = 0; round < rounds; round += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'sb-xds-'));
    const host = new Host();
    let envoy: ChildProcess | undefined;
    try {
      const gatewayPort = await freePort('127.0.0.1');
      const { port = 0 } = await host.tell({ do: 'start', ...SIZE, gatewayPort, agentPort: responder.port, check });
      const options = {
        nodeId: 'bench',
        cluster: 'c',
        zone: '',
        xds: { host: '127.0.0.1', port },
        variant,
        adminPath: join(folder, 'a'),
        maxConnections: 1000,
      };
      writeFileSync(join(folder, 'b.json'), JSON.stringify(bootstrap(options)));
      const before = await host.tell({ do: 'usage' });
      const log = openSync(join(folder, 'log'), 'a');
      const began = performance.now();
      envoy = spawn(
        path,
        ['-c', join(folder, 'b.json'), '--concurrency', '1', '-l', 'error', '--disable-hot-restart'],
        { stdio: ['ignore', log, log] },
      );
      for (;;) {
        try {
          (await openSocket(`ws://127.0.0.1:${gatewayPort}/agents/s-00500`)).terminate();
          break;
        } catch (error) {
          if (performance.now() - began > 20_000) throw error;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      times.push(performance.now() - began);
      own.push(cpuOf(envoy.pid ?? 0));
      cpu.push((await host.tell({ do: 'usage' })).cpuMs - before.cpuMs);
    } finally {
      envoy?.kill('SIGKILL');
      host.end();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  responder.stop();
  agent.stop();
  const how = `${variant}, ${check === 'off' ? 'without checks' : `10,000 ${check} checks first`}`;
  return [
    bounded(`start of Envoy to its first session, ${how}`, 'ms', median(times), times, 1_000),
    bounded(`control plane's CPU for it, ${how}`, 'ms', median(cpu), cpu, 150),
    bounded(`Envoy's own CPU for it, ${how}`, 'ms', median(own), own, 1_000),
  ];
}

/** One change at a time, with one stream. */
async function changes(variant: 'sotw' | 'delta', count: number): Promise<Figure[]> {
  const host = new Host();
  try {
    const { port = 0 } = await host.tell({ do: 'start', ...SIZE, gatewayPort: 1, agentPort: 9 });
    const loaded = await host.tell({ do: 'usage' });
    const first = openEnvoyLike(port, variant, 'one');
    await first.served;
    await host.tell({ do: 'endpoint', count: 20 });
    const { ms = [], cpuMs } = await host.tell({ do: 'endpoint', count });
    const figures = [
      bounded(`endpoint change to ACK p50, ${variant}`, 'ms', median(ms), ms, 3),
      bounded(`endpoint change to ACK p99, ${variant}`, 'ms', quantile(ms, 0.99), ms, 10),
      bounded(`CPU of an endpoint change, ${variant}`, 'ms', cpuMs / count, [cpuMs / count], 2),
      bounded(`memory with 1,000 x 10 loaded, ${variant}`, 'MiB', loaded.rssMib, [loaded.rssMib], 350),
    ];
    if (variant === 'sotw') return figures;
    const { ms: added = [], clusterMs = [] } = await host.tell({ do: 'service', count: 20 });
    const versions = first.versions;
    first.discovery.close();
    const again = openEnvoyLike(port, variant, 'one', versions);
    await again.served;
    await new Promise((resolve) => setTimeout(resolve, 300));
    again.discovery.close();
    return [
      ...figures,
      bounded('service added to the ACK of its cluster p50, delta', 'ms', median(clusterMs), clusterMs, 10),
      bounded('service added to the ACK of all p50, delta', 'ms', median(added), added, 10),
      bounded('resources sent again on a reconnect, delta', 'resources', again.resources, [again.resources], 0),
    ];
  } finally {
    host.end();
  }
}

async function crowd(streams: number): Promise<Figure[]> {
  const host = new Host();
  try {
    const { port = 0 } = await host.tell({ do: 'start', ...SIZE, gatewayPort: 1, agentPort: 9 });
    const before = await host.tell({ do: 'usage' });
    const [rounds, after, cpu, beside]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let round = 0; round < 2; round += 1) {
      const idle = await host.tell({ do: 'usage' });
      const began = performance.now();
      const envoys = Array.from({ length: streams }, (_, n) =>
        openEnvoyLike(port, n % 2 === 0 ? 'delta' : 'sotw', `e-${n}`),
      );
      await Promise.all(envoys.map(async ({ served }) => served));
      rounds.push(performance.now() - began);
      const busy = await host.tell({ do: 'usage' });
      cpu.push(busy.cpuMs - idle.cpuMs);
      beside.push((await host.tell({ do: 'usage' })).rssMib);
      for (const { discovery } of envoys) discovery.close();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await host.tell({ do: 'usage' });
      after.push((await host.tell({ do: 'usage' })).rssMib / before.rssMib);
    }
    return [
      bounded(`${streams} streams at once, all served`, 'ms', median(rounds), rounds, 5_000),
      bounded("control plane's own CPU for it", 'ms', median(cpu), cpu, 5_000),
      bounded(`memory with ${streams} streams`, 'MiB', median(beside), beside, 350),
      bounded('memory after they left, against before', 'times', median(after), after, 1.2),
    ];
  } finally {
    host.end();
  }
}

async function manyChanges(seconds: number): Promise<Figure[]> {
  const host = new Host();
  try {
    const { port = 0 } = await host.tell({ do: 'start', ...SIZE, gatewayPort: 1, agentPort: 9 });
    const envoys = Array.from({ length: 20 }, (_, n) => openEnvoyLike(port, n % 2 === 0 ? 'delta' : 'sotw', `e-${n}`));
    await Promise.all(envoys.map(async ({ served }) => served));
    const { worstMs = NaN, delayP99Ms = NaN, cpuMs } = await host.tell({ do: 'churn', perSecond: 167, seconds });
    for (const { discovery } of envoys) discovery.close();
    return [
      bounded(
        `167 endpoint changes a second over 20 streams for ${seconds} s: most behind`,
        'ms',
        worstMs,
        [worstMs],
        1_000,
      ),
      bounded("the event loop's delay meanwhile, p99", 'ms', delayP99Ms, [delayP99Ms], 50),
      bounded('CPU of the control plane meanwhile', '%', cpuMs / seconds / 10, [cpuMs / seconds / 10], 100),
    ];
  } finally {
    host.end();
  }
}

export const xdsBenches: Readonly<Record<string, (quick: boolean) => Promise<Figure[]>>> = {
  'xds-start': async (quick) => [
    ...(await envoyStart('delta', quick ? 1 : 5, 'off')),
    ...(await envoyStart('sotw', quick ? 1 : 5, 'off')),
    ...(await envoyStart('delta', quick ? 1 : 3, 'tcp')),
    ...(await envoyStart('delta', quick ? 1 : 3, 'http')),
    ...(await envoyStart('sotw', quick ? 1 : 3, 'http')),
  ],
  'xds-change': async (quick) => [
    ...(await changes('delta', quick ? 100 : 500)),
    ...(await changes('sotw', quick ? 100 : 500)),
  ],
  'xds-crowd': async (quick) => crowd(quick ? 50 : 200),
  'xds-go': goControlPlane,
  'xds-churn': async (quick) => manyChanges(quick ? 5 : 60),
};
