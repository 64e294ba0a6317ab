/**
 * A command beside an agent: in its folder, with its environment, what it prints in the agent's log. It leads a group of its own, which is ended
 * when its time is over; should the control plane be killed meanwhile, its marks have it ended with the agent.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { messageOf } from '../../../model/errors.ts';
import { lastState, shownText } from '../../../model/shown-text.ts';
import type { CommandEnd } from '../../runtime.ts';
import { fillTemplate } from '../../../model/template.ts';
import { signalGroup } from './group.ts';
import { programProblem } from '../../../home/program.ts';
import type { Surroundings } from './surroundings.ts';

const LONGEST_WORDS = 300;

/** The last line that came into the file after its first `before` bytes, as `: line`; empty: none did, or the file was cut meanwhile. */
function lastWordsSince(file: string, before: number): string {
  const added = readFileSync(file).subarray(before).toString('utf8').trimEnd();
  const line = shownText(lastState(added.slice(added.lastIndexOf('\n') + 1))).slice(-LONGEST_WORDS);
  return line === '' ? '' : `: ${line}`;
}

/** `logs`: files of its standard output and error. Never rejects. */
export async function runCommand(
  command: readonly string[],
  { values, cwd, env }: Surroundings,
  logs: readonly string[],
  timeoutMs: number,
): Promise<CommandEnd> {
  const [program = '', ...args] = command.map((part) => fillTemplate(part, values));
  try {
    const problem = programProblem(program, { cwd, path: env['PATH'] });
    if (problem !== undefined) return { ok: false, message: `can not be run: ${problem}` };
    const files = logs.map((file) => openSync(file, 'a', 0o600));
    const errors = logs[1] ?? '';
    const before = statSync(errors).size;
    let child;
    try {
      const stdio = ['ignore' as const, files[0] ?? ('ignore' as const), files[1] ?? ('ignore' as const)];
      child = spawn(program, args, { cwd, env: { ...env }, detached: true, stdio });
    } finally {
      for (const file of files) closeSync(file);
    }
    const { pid } = child;
    const late = AbortSignal.timeout(timeoutMs);
    const end = (): void => {
      if (pid !== undefined) signalGroup(pid, 'SIGKILL');
    };
    late.addEventListener('abort', end);
    const [code, signal] = (await once(child, 'exit').finally(() => {
      late.removeEventListener('abort', end);
    })) as [number | null, string | null];
    // What it has left running is no part of the agent.
    end();
    if (late.aborted && code === null)
      return { ok: false, message: `did not end within ${timeoutMs} ms and was killed` };
    if (code === 0) return { ok: true, message: 'ended well' };
    const how = signal === null ? `ended with code ${code ?? 'unknown'}` : `ended by ${signal}`;
    return { ok: false, message: `${how}${lastWordsSince(errors, before)}` };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}
