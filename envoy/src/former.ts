/** The Envoy that has handed over: it serves on what it has open, and is ended when nobody is there any more or its time is over. */
import { hasClients } from './handover.ts';
import { isAlive } from './identity.ts';
import type { Former } from './record.ts';
import { signalProcess } from './signal.ts';

export interface FormerKeeper {
  get(): Former | undefined;
  set(former: Former): void;
  /** Call it often. True: it has just gone. */
  look(): boolean;
  /** It serves nobody, or there is none. */
  isIdle(): boolean;
  end(): void;
}

const EVERY_MS = 1_000;

export function createFormerKeeper(now: () => number): FormerKeeper {
  let former: Former | undefined;
  let lookedAt = 0;
  let idleFor = 0;

  const isIdle = (): boolean =>
    former === undefined || !isAlive(former.process) || !hasClients(former.process.pid, former.ports);

  return {
    get: () => former,
    set(next) {
      former = next;
      lookedAt = now();
      idleFor = 0;
    },
    look() {
      if (former === undefined || now() - lookedAt < EVERY_MS) return false;
      lookedAt = now();
      const { process, until } = former;
      if (!isAlive(process)) {
        former = undefined;
        return true;
      }
      // Twice, since a connection may just be on its way into it.
      idleFor = isIdle() ? idleFor + 1 : 0;
      if (idleFor >= 2 || (until !== null && now() >= Date.parse(until))) signalProcess(process.pid, 'SIGTERM');
      return false;
    },
    isIdle,
    end() {
      if (former !== undefined && isAlive(former.process)) signalProcess(former.process.pid, 'SIGTERM');
      former = undefined;
    },
  };
}
