/** `up` in a real terminal: Ctrl-C, and the end of the terminal, end what belongs to it and nothing else; `down` finds what goes on by the folder alone. */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { identify, isAlive } from '../../control-plane/src/home/process-identity.ts';
import type { ProcessIdentity } from '../../control-plane/src/model/instance.ts';
import { openSession } from '../support/sessions.ts';
import { compiled, echoService, repository, startWorld } from '../support/world.ts';

/** Of a session, that of the terminal, by the pid of its leader. */
function membersOf(session: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, , , id] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(id) === session && state !== 'Z' ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

async function until(what: string, check: () => boolean, limitMs = 30_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!check()) {
    if (Date.now() > limit) throw new Error(`gave up waiting until ${what}`);
    await sleep(50);
  }
}

const base = { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_COMPILE_CACHE: compiled };

function startInTerminal(data: string, seed: string) {
  const program = join(repository, 'deploy/setup/switchboard.mjs');
  const child = spawn('python3', [join(repository, 'test/support/terminal.py'), process.execPath, program, 'up'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...base,
      XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'],
      SWITCHBOARD_DATA: data,
      SWITCHBOARD_SEED: seed,
      SWITCHBOARD_GATEWAY_PORT: '0',
      SWITCHBOARD_API_PORT: '0',
      SWITCHBOARD_XDS_PORT: '0',
      SWITCHBOARD_AGENTS_PORTS: '17100-17200',
    },
  });
  let shown = '';
  child.stdout.on('data', (part: Buffer) => (shown += part.toString()));
  return {
    leader: () => Number(shown.split('\n')[0]),
    shows: (text: string) => shown.includes(text),
    shown: () => shown,
    does: (line: string) => child.stdin.write(`${line}\n`),
    end: () => child.stdin.end(),
  };
}

function down(data: string): Promise<{ code: number | null; said: string }> {
  const child = spawn(
    process.execPath,
    [join(repository, 'control-plane/src/cli/main.ts'), 'down', '--now'],
    // Neither the ports nor the range of before.
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...base, SWITCHBOARD_DATA: data } },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
  return new Promise((resolve) =>
    child.once('close', (code) => {
      resolve({ code, said });
    }),
  );
}

const processOf = (file: string): ProcessIdentity =>
  (JSON.parse(readFileSync(file, 'utf8')) as { process: ProcessIdentity }).process;

it.concurrent.each([
  ['Ctrl-C', 'type \\x03'],
  ['the end of the terminal', 'close'],
])('%s ends the control plane alone; down ends the rest', async (_, act) => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-terminal-'));
  const data = join(folder, 'data');
  const seed = join(folder, 'seed.json');
  writeFileSync(seed, JSON.stringify([echoService('echo')]));
  const terminal = startInTerminal(data, seed);
  let kept: ProcessIdentity[] = [];
  try {
    await until('it greets', () => terminal.shows('(Ctrl-C ends the control plane alone'), 60_000);
    // For a person: lines that can be read, a link that signs in, and what to try with what runs.
    expect(terminal.shown()).toMatch(/console +http:\/\/127\.0\.0\.1:\d+\/#sign-in=[\w-]{32} /);
    expect(terminal.shown()).toMatch(/try +switchboard --data \S+ (connect echo|get services -w) /);
    expect(terminal.shown()).not.toContain('"level"');
    const { gatewayUrl } = JSON.parse(readFileSync(join(data, 'runtime.json'), 'utf8')) as { gatewayUrl: string };
    const session = await (async () => {
      for (let round = 0; ; round += 1) {
        try {
          return await openSession(`${gatewayUrl}/agents/echo`);
        } catch (error) {
          if (round > 100) throw error;
          await sleep(100);
        }
      }
    })();
    const [instance = ''] = readdirSync(join(data, 'instances'));
    kept = [join(data, 'envoy/envoy.json'), join(data, 'instances', instance, 'process.json')].map(processOf);
    const leader = terminal.leader();
    expect(membersOf(leader).length).toBeGreaterThanOrEqual(3);

    terminal.does(act);
    await until('all that belongs to the terminal has ended', () => membersOf(leader).length === 0);
    expect(existsSync(join(data, 'control-plane.lock')), 'it has ended as it should').toBe(false);
    expect(await session.ask('still here')).toBe('still here');
    expect(kept.map(isAlive)).toEqual([true, true]);

    const ended = await down(data);
    expect(ended).toMatchObject({ code: 0, said: expect.stringContaining('everything has ended') as string });
    expect(kept.map(isAlive)).toEqual([false, false]);
  } finally {
    for (const pid of membersOf(terminal.leader())) process.kill(pid, 'SIGKILL');
    for (const one of kept) if (isAlive(one)) process.kill(one.pid, 'SIGKILL');
    terminal.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
});

it.concurrent('a data folder that was moved still has what runs; a copy of it has not', async () => {
  await using world = await startWorld({ name: 'moved', seed: [echoService('echo')] });
  const session = await world.open('echo');
  const { envoy, agents } = await world.status();
  const kept = [envoy.pid, ...agents.map(({ pid }) => pid)]
    .map((pid) => identify(pid ?? 0))
    .filter((one) => one !== undefined);
  await world.killControlPlane();
  const copy = join(world.folder, 'copy');
  cpSync(world.data, copy, { recursive: true, filter: (file) => !statSync(file).isSocket() });
  const refused = await down(copy);
  expect(refused.code).not.toBe(0);
  expect(refused.said).toContain('cannot listen for clients');
  expect(kept.map(isAlive)).toEqual([true, true]);
  rmSync(copy, { recursive: true });

  const moved = join(world.folder, 'moved');
  renameSync(world.data, moved);
  const ended = await down(moved);
  expect(ended).toMatchObject({ code: 0, said: expect.stringContaining('everything has ended') as string });
  await session.closed;
  expect(kept.map(isAlive)).toEqual([false, false]);
  // No agent was started beside the one that ran.
  expect(
    readdirSync(join(moved, 'instances')).filter((id) => existsSync(join(moved, 'instances', id, 'process.json'))),
  ).toEqual([]);
});
