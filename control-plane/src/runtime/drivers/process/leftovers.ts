/** What agents leave running when they end: it must not live on, hold a port, or be taken for the agent by the next control plane. */
import { MARKS, directoriesIn, isMarkOf, marksOf, removeRecord } from './record.ts';

export interface Leftovers {
  /** This agent has ended: what it left is ended soon, once for all that end together, since looking through all processes takes milliseconds. */
  readonly add: (instance: string) => void;
  /** At once, for all that were added. */
  readonly sweep: () => void;
}

export function createLeftovers(folder: string, log: { warn(fields: object, message: string): void }): Leftovers {
  let waiting = new Set<string>();
  function sweep(): void {
    const instances = waiting;
    waiting = new Set();
    if (instances.size === 0) return;
    const pids = endLeftovers(folder, instances);
    if (pids.length > 0)
      log.warn({ instances: [...instances], pids }, 'ended what agents had left running when they ended');
    // Last: a control plane that is killed in between finds the record, and with it that the agent has ended.
    for (const instance of instances) removeRecord(folder, instance);
  }
  return {
    sweep,
    add(instance) {
      waiting.add(instance);
      setImmediate(sweep);
    },
  };
}

/**
 * Ends what agents that have ended have left running: processes that bear the marks of this folder and of one of these instances, also those
 * that left their agent's group and session. Gives their pids. Nothing where processes can't be looked into.
 */
function endLeftovers(folder: string, instances: ReadonlySet<string>): number[] {
  if (instances.size === 0) return [];
  const ended: number[] = [];
  for (const name of directoriesIn('/proc')) {
    const pid = Number(name);
    if (!/^\d+$/.test(name) || pid === process.pid) continue;
    const marks = marksOf(pid);
    if (marks === undefined || !isMarkOf(marks, folder) || !instances.has(marks.get(MARKS.instance) ?? '')) continue;
    try {
      process.kill(pid, 'SIGKILL');
      ended.push(pid);
    } catch {
      // It has ended by itself, or is another user's by now.
    }
  }
  return ended;
}
