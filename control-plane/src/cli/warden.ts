/**
 * Ends an agent whose wrapper has died, whatever it died of: a shell in a session of its own reads from a pipe that the wrapper alone can write
 * to, and which the kernel closes with it. A wrapper that is suspended keeps its pipe, and so its agent. A second Node would cost forty times the memory.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startTimeOf } from '../home/process-identity.ts';
import { environment } from './settings.ts';

/**
 * First line: the group, and when its first process started, as `startTimeOf` tells it. Any second line: the wrapper has seen to the end.
 * No line: the wrapper has died. If the first process is another one by now, the group has long gone and its number is used again.
 */
const SCRIPT = `
trap '' HUP INT TERM
started() {
  if [ -r /proc/self/stat ]; then
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    read -r boot </proc/sys/kernel/random/boot_id
    set -- \${stat##*) }
    [ "$1" = Z ] || echo "\${boot%%-*}-\${20}"
  else
    ps -o lstart= -p "$1"
  fi
}
read -r group start && [ -n "$group" ] || exit 0
read -r _ && exit 0
now=$(echo $(started "$group"))
[ -z "$now" ] || [ "$now" = "$(echo $start)" ] || exit 0
kill -TERM "-$group" || exit 0
kill -CONT "-$group"
while [ "$1" -gt 0 ] && kill -0 "-$group"; do
  sleep 1
  set -- $(($1 - 1))
done
kill -KILL "-$group"
`;

export interface Warden {
  /** From now on the group of this process ends with the wrapper. */
  guard(pid: number, startTime?: string): void;
  /** The wrapper has ended the agent itself. Resolves when the warden has gone. */
  release(): Promise<void>;
}

export function startWarden(graceMs: number): Warden {
  const child = spawn('sh', ['-c', SCRIPT, 'switchboard-warden', String(Math.ceil(graceMs / 1000))], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
    env: { PATH: environment['PATH'] },
  });
  const gone = once(child, 'exit').catch(() => undefined);
  // Should somebody have ended it, the agent is none the worse.
  child.stdin.on('error', () => undefined);
  return {
    guard(pid, startTime = startTimeOf(pid) ?? '-') {
      child.stdin.write(`${pid} ${startTime}\n`);
    },
    async release() {
      child.stdin.end('\n');
      await gone;
    },
  };
}
