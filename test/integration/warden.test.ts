/** The agent of `switchboard run` when its wrapper is killed, crashes, is suspended, or ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { isAlive, startTimeOf } from '../../control-plane/src/home/process-identity.ts';
import type { ProcessIdentity } from '../../control-plane/src/model/instance.ts';
import { repository } from '../support/world.ts';

const agentProcess = join(repository, 'control-plane/src/cli/agent-process.ts');
const wardenModule = join(repository, 'control-plane/src/cli/warden.ts');
const started: number[] = [];

afterEach(() => {
  for (const pid of started.splice(0))
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
});

async function until(what: string, seen: () => boolean): Promise<void> {
  const limit = Date.now() + 20_000;
  while (!seen()) {
    if (Date.now() > limit) throw new Error(`gave up waiting until ${what}`);
    await sleep(20);
  }
}

function identity(pid: number): ProcessIdentity {
  started.push(pid);
  return { pid, startTime: startTimeOf(pid) ?? 'ended' };
}

interface Wrapped {
  readonly wrapper: ChildProcess;
  readonly agent: ProcessIdentity;
  readonly warden: ProcessIdentity;
  readonly said: () => string;
}

/** A process that wraps an agent, a shell that runs `script`, which says when it is ready. */
async function wrap(script: string, graceMs: number, then = ''): Promise<Wrapped> {
  const program = `
    const { startAgent } = await import(${JSON.stringify(agentProcess)});
    const agent = await startAgent(['sh', '-c', ${JSON.stringify(script)}], {}, ${graceMs});
    process.once('SIGTERM', async () => { await agent.stop(); });
    console.log('agent ' + agent.child.pid);
    ${then}`;
  const wrapper = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.push(wrapper.pid ?? 0);
  let out = '';
  wrapper.stdout.on('data', (part: Buffer) => (out += part.toString()));
  await until('the agent is ready', () => /^agent \d+$/m.test(out) && out.includes('ready'));
  const agent = Number(/^agent (\d+)$/m.exec(out)?.[1]);
  const children = readFileSync(`/proc/${wrapper.pid}/task/${wrapper.pid}/children`, 'utf8').trim().split(' ');
  const other = Number(children.find((pid) => Number(pid) !== agent));
  return { wrapper, agent: identity(agent), warden: identity(other), said: () => out };
}

const POLITE = "trap 'echo polite; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
const DEAF = "trap '' TERM; echo ready; while :; do sleep 0.1; done";

it('an agent whose wrapper is killed is asked to end, and its warden ends with it', async () => {
  const { wrapper, agent, warden, said } = await wrap(POLITE, 60_000);
  wrapper.kill('SIGKILL');
  await until('both have ended', () => !isAlive(agent) && !isAlive(warden));
  expect(said()).toContain('polite');
});

it('one that does not listen is killed after its grace, with all that it has started', async () => {
  const { wrapper, agent, warden, said } = await wrap(`sh -c "${DEAF}" & echo "child $!"; ${DEAF}`, 300);
  const child = identity(Number(/^child (\d+)$/m.exec(said())?.[1]));
  wrapper.kill('SIGKILL');
  await until('all have ended', () => ![agent, child, warden].some(isAlive));
});

it('a wrapper that crashes takes its agent with it; one that is suspended does not', async () => {
  const [suspended, crashed] = await Promise.all([
    wrap(POLITE, 60_000),
    wrap(POLITE, 60_000, "setTimeout(() => { throw new Error('expected by the test'); }, 100);"),
  ]);
  suspended.wrapper.kill('SIGSTOP');
  await until('the other agent has ended', () => !isAlive(crashed.agent) && !isAlive(crashed.warden));
  expect([suspended.agent, suspended.warden].map(isAlive)).toEqual([true, true]);
});

it('a wrapper that ends its agent itself leaves no warden, nor does a command that can not be started', async () => {
  const { wrapper, agent, warden } = await wrap(POLITE, 60_000);
  wrapper.kill('SIGTERM');
  await once(wrapper, 'exit');
  expect([agent, warden].map(isAlive)).toEqual([false, false]);
  const program = `
    const { startAgent } = await import(${JSON.stringify(agentProcess)});
    await startAgent(['/no/such/program'], {}, 1000).catch((error) => { console.log(error.message); });`;
  const failing = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  failing.stdout.on('data', (part: Buffer) => (out += part.toString()));
  // It would not end while it has a child.
  expect(await once(failing, 'close')).toEqual([0, null]);
  expect(out).toContain('cannot start /no/such/program');
});

it('what has taken the number of an agent that is long gone is left alone', async () => {
  const program = `
    const { readFileSync } = await import('node:fs');
    const { startWarden } = await import(${JSON.stringify(wardenModule)});
    startWarden(0).guard(Number(process.argv[1]), process.argv[2]);
    console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'));
    process.exit();`;
  /** A process that is guarded as if it had started then, once its warden has gone. */
  const guarded = async (startTime?: string): Promise<ProcessIdentity> => {
    const other = identity(spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).pid ?? 0);
    const args = ['--input-type=module', '-e', program, String(other.pid), startTime ?? other.startTime];
    const wrapper = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = identity(Number(await text(wrapper.stdout)));
    await until('its warden has gone', () => !isAlive(gone));
    return other;
  };
  const another = await guarded('0000aaaa-1');
  const same = await guarded();
  await until('the agent has ended', () => !isAlive(same));
  expect(isAlive(another)).toBe(true);
});
