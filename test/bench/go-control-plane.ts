/** Beside go-control-plane: the same fleet, the same clients, in turn with ours within one run. Built here where there is a Go toolchain. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openEnvoyLike } from './envoy-like.ts';
import { bounded, compared, median, quantile, type Figure } from './figure.ts';
import type { HostAnswer } from './xds-host.ts';
import { Host, SIZE } from './xds-process.ts';

/** What both sides can be told. */
interface Side {
  readonly port: number;
  tell(command: { do: 'endpoint' | 'service' | 'usage'; count: number }): Promise<HostAnswer>;
  end(): void;
}

function toolchain(): string | undefined {
  return ['go', '/usr/local/go/bin/go'].find((path) => {
    try {
      execFileSync(path, ['version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

async function theirs(program: string): Promise<Side> {
  const args = ['--services', String(SIZE.services), '--instances', String(SIZE.instances)];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<HostAnswer> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('go-control-plane has ended');
    return JSON.parse(value) as HostAnswer;
  };
  const { port = 0 } = await next();
  return {
    port,
    async tell(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return next();
    },
    end() {
      child.kill('SIGKILL');
    },
  };
}

async function ours(): Promise<Side> {
  const host = new Host();
  const { port = 0 } = await host.tell({ do: 'start', ...SIZE, gatewayPort: 1, agentPort: 9 });
  return {
    port,
    tell: async (command) =>
      host.tell(command.do === 'usage' ? { do: 'usage' } : { do: command.do, count: command.count }),
    end() {
      host.end();
    },
  };
}

interface Round {
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
  readonly added: number;
  readonly again: number;
  readonly memory: number;
  readonly crowd: number;
}

const pause = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function round(side: Side, variant: 'sotw' | 'delta', changes: number, streams: number): Promise<Round> {
  try {
    const first = openEnvoyLike(side.port, variant, 'one');
    await first.served;
    await pause(500);
    await side.tell({ do: 'endpoint', count: 20 });
    const { ms = [], cpuMs } = await side.tell({ do: 'endpoint', count: changes });
    const added = (await side.tell({ do: 'service', count: 10 })).ms ?? [];
    first.discovery.close();
    const back = openEnvoyLike(side.port, variant, 'one', variant === 'delta' ? first.versions : new Map());
    await back.served;
    await pause(500);
    back.discovery.close();
    const began = performance.now();
    const crowd = Array.from({ length: streams }, (_, n) => openEnvoyLike(side.port, variant, `e-${n}`));
    await Promise.all(crowd.map(async ({ served }) => served));
    const took = performance.now() - began;
    const { rssMib } = await side.tell({ do: 'usage', count: 0 });
    for (const { discovery } of crowd) discovery.close();
    return {
      p50: median(ms),
      p99: quantile(ms, 0.99),
      cpu: cpuMs / changes,
      added: median(added),
      again: back.resources,
      memory: rssMib,
      crowd: took,
    };
  } finally {
    side.end();
  }
}

export async function goControlPlane(quick: boolean): Promise<Figure[]> {
  const go = toolchain();
  if (go === undefined)
    return [bounded('beside go-control-plane: not measured, there is no Go toolchain here', 'ms', NaN, [NaN], 0)];
  const folder = mkdtempSync(join(tmpdir(), 'sb-go-'));
  try {
    const program = join(folder, 'control-plane');
    execFileSync(go, ['build', '-o', program, '.'], { cwd: join(import.meta.dirname, 'go-control-plane') });
    const figures: Figure[] = [];
    for (const variant of ['delta', 'sotw'] as const) {
      const [own, other]: [Round[], Round[]] = [[], []];
      const [changes, streams] = quick ? [50, 20] : [200, 200];
      for (let n = 0; n < (quick ? 1 : 3); n += 1) {
        own.push(await round(await ours(), variant, changes, streams));
        other.push(await round(await theirs(program), variant, changes, streams));
      }
      const beside = (name: string, unit: string, of: keyof Round, most: number): Figure =>
        compared(
          `${name}, ${variant}`,
          unit,
          own.map((one) => one[of]),
          other.map((one) => one[of]),
          most,
        );
      figures.push(
        beside('beside go-control-plane: endpoint change to ACK p50', 'ms', 'p50', 1),
        beside('beside go-control-plane: endpoint change to ACK p99', 'ms', 'p99', 1),
        beside('beside go-control-plane: CPU of an endpoint change', 'ms', 'cpu', 1),
        beside('beside go-control-plane: service added to ACK p50', 'ms', 'added', 1),
        beside(`beside go-control-plane: ${streams} streams at once`, 'ms', 'crowd', 1),
        beside(`beside go-control-plane: memory with ${streams} streams`, 'MiB', 'memory', 1),
        ...[own, other].map((rounds, index) => {
          const all = rounds.map((one) => one.again);
          const whose = index === 0 ? 'ours' : 'go-control-plane';
          return bounded(
            `sent again on a reconnect by ${whose}, ${variant}`,
            'resources',
            median(all),
            all,
            variant === 'delta' ? 0 : Infinity,
          );
        }),
      );
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
