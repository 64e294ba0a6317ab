/** Runs the command line against a world, as a person would. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { compiled, repository, type World } from './world.ts';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  /** So far. */
  readonly said: { stdout: string; stderr: string };
  readonly ended: Promise<CliResult>;
  /** As Ctrl-C does. */
  readonly interrupt: () => void;
}

export function startCli(
  world: World,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): RunningCli {
  const child = spawn(process.execPath, [join(repository, 'control-plane/src/cli/main.ts'), ...args], {
    cwd: world.folder,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: compiled,
      SWITCHBOARD_DATA: world.data,
      NO_COLOR: '1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (part: Buffer) => (said.stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (said.stderr += part.toString()));
  const ended = new Promise<CliResult>((resolve) =>
    child.once('close', (code) => {
      resolve({ code, ...said });
    }),
  );
  return { said, ended, interrupt: () => void child.kill('SIGINT') };
}

export async function runCli(...given: Parameters<typeof startCli>): Promise<CliResult> {
  return startCli(...given).ended;
}
