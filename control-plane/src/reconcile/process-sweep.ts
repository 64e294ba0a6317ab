/**
 * Looks at the processes of all instances, one after the other, for those that are stopped by a signal: the cheapest check there is, and the
 * quickest to find a SIGSTOP. One timer for all; the more there are, the less often, so that it never costs more than about 1 % of a core.
 */
import { readStat } from '../home/process-identity.ts';
import type { ProcessIdentity } from '../model/instance.ts';

export interface ProcessSweep {
  sync(processes: ReadonlyMap<string, ProcessIdentity>): void;
  close(): void;
}

const EVERY_MS = 1_000;
const MS_FOR_EACH = 2;

export interface SweepOptions {
  /** `stopped`: why it can't serve; undefined: it runs. Called for every instance each time. */
  readonly onLook: (instance: string, stopped: string | undefined) => void;
}

export function createProcessSweep({ onLook }: SweepOptions): ProcessSweep {
  let watched: ReadonlyMap<string, ProcessIdentity> = new Map();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function look(): void {
    for (const [instance, { pid, startTime }] of watched) {
      const stat = readStat(pid);
      // One that has ended is the runtime's to tell.
      const stopped = stat?.startTime === startTime && stat.state === 'T';
      onLook(instance, stopped ? `process ${pid} is stopped by a signal` : undefined);
    }
  }

  function plan(): void {
    if (closed || process.platform !== 'linux') return;
    timer = setTimeout(
      () => {
        look();
        plan();
      },
      Math.max(EVERY_MS, MS_FOR_EACH * watched.size),
    );
    timer.unref();
  }
  plan();

  return {
    sync(processes) {
      watched = processes;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
