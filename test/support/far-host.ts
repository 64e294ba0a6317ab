/** A host of its own for one agent: a network namespace at the other end of a wire that can be cut. It needs Linux and root. */
import { execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FarHost extends AsyncDisposable {
  /** IP address of the agent's end. */
  readonly host: string;
  /** Nothing passes any more, and nobody is told. */
  cut(): void;
  mend(): void;
  /** kill -9 of the agent: the host goes on. */
  kill(): void;
}

const run = (...[command = '', ...args]: string[]): string => execFileSync(command, args, { encoding: 'utf8' });

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has network namespaces';
  if (process.getuid?.() !== 0)
    return 'it makes a network namespace and a wire to it, which only root may: run it as root';
  return undefined;
}

/** Starts `command`, in which `{host}` is replaced. */
export async function startFarHost(command: readonly string[]): Promise<FarHost> {
  const why = whyNot();
  if (why !== undefined) throw new Error(`this test can not run here: ${why}`);
  // Of the range for tests of networks (RFC 2544), a part for each process of tests.
  const part = `198.18.${process.pid % 256}`;
  const [near, host, wire] = [`${part}.1`, `${part}.2`, `sb${process.pid}`];
  const agent = spawn(
    'unshare',
    ['-n', '--', 'sh', '-c', 'read ready; exec "$@"', 'sh', ...command.map((word) => word.replaceAll('{host}', host))],
    {
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  );
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  const namespaceOf = (pid: number | string): string => run('readlink', `/proc/${pid}/ns/net`);
  const pid = agent.pid ?? 0;
  for (let round = 0; round < 100 && namespaceOf(pid) === namespaceOf('self'); round += 1) await sleep(20);
  const inside = (...args: string[]): string => run('nsenter', '-t', String(pid), '-n', 'ip', ...args);
  run('ip', 'link', 'add', wire, 'type', 'veth', 'peer', 'name', 'far', 'netns', String(pid));
  run('ip', 'address', 'add', `${near}/30`, 'dev', wire);
  run('ip', 'link', 'set', wire, 'up');
  inside('address', 'add', `${host}/30`, 'dev', 'far');
  inside('link', 'set', 'far', 'up');
  inside('link', 'set', 'lo', 'up');
  agent.stdin.end('go\n');
  return {
    host,
    // The other end: this one keeps its address and its route, as where a switch beyond it fails.
    cut: () => void inside('link', 'set', 'far', 'down'),
    mend: () => void inside('link', 'set', 'far', 'up'),
    kill: () => void agent.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      agent.kill('SIGKILL');
      await ended;
    },
  };
}
