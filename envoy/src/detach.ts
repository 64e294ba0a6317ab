/**
 * Starts a program as nobody's child. An Envoy that can hand over asks the kernel to end it when its parent ends (PR_SET_PDEATHSIG), and ours must outlive
 * the control plane: so a shell forks it and is gone before it begins. The price: its end is seen by looking, and its exit code is not known. The shell has
 * a session of its own: the Ctrl-C of a terminal is for all that have come from there, and Envoy would end with every session.
 */
import { spawnSync, type SpawnSyncOptionsWithStringEncoding } from 'node:child_process';

const SCRIPT =
  'parent=$$; ( exec >&3 2>&3; while kill -0 "$parent" 2>/dev/null; do sleep 0.005; done; exec "$@" 3>&- ) & echo $!';

/** `output`: a file descriptor for what it writes. Returns its pid; throws when it can not be started. */
export function startDetached(
  program: string,
  args: readonly string[],
  { output, cwd }: { readonly output: number; readonly cwd: string },
): number {
  // Node takes `detached` here as for `spawn`; its types do not say so.
  const options: SpawnSyncOptionsWithStringEncoding & { readonly detached: true } = {
    cwd,
    env: {},
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore', output],
    detached: true,
  };
  const { stdout, error, status } = spawnSync('/bin/sh', ['-c', SCRIPT, 'sh', program, ...args], options);
  const pid = Number(stdout.trim());
  if (error !== undefined || status !== 0 || !Number.isInteger(pid) || pid < 2)
    throw new Error(`${program} can not be started: ${error?.message ?? `the shell ended with ${String(status)}`}`);
  return pid;
}
