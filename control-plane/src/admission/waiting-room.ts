/**
 * Clients that wait until an instance can take them: none runs yet (scale from zero), or all are full. First come, first served; nobody waits
 * longer than its service allows.
 */
import { createOnTheWay } from './on-the-way.ts';

/** What a service asks of those who come; the service itself decides who has to wait. */
export interface Rules {
  /** More are turned away at once. */
  readonly most: number;
  readonly waitMs: number;
  /** Whoever was let in is a session within this time, or it never will be. */
  readonly arrivesMs: number;
}

export interface Newcomer {
  readonly id: string;
  /** When its request came, in milliseconds of the gateway's clock: the same when it is asked for again, by the next control plane too. */
  readonly cameAt: number;
}

export interface RoomOptions {
  /** Sessions that may be on their way to the service at once; Infinity: it does not count. */
  readonly free: (service: string) => number;
  /** Undefined: nobody waits for this service, and whoever comes is let through. */
  readonly rulesOf: (service: string) => Rules | undefined;
  /** Why there is no place: a sentence. */
  readonly why: (service: string) => string;
  /** Somebody has begun to wait. */
  readonly onWait: (service: string) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

export type Answer =
  | { readonly kind: 'in' }
  | { readonly kind: 'refused'; readonly message: string }
  /** It left before it had its answer. */
  | { readonly kind: 'left' };

export interface WaitingRoom {
  enter(service: string, newcomer: Newcomer, signal: AbortSignal): Promise<Answer>;
  /** It was let in by the control plane before. */
  expect(service: string, id: string): void;
  /** The session of this newcomer is counted, or it will never be. */
  arrived(id: string): void;
  /** Something has changed: lets in whoever can be. */
  look(): void;
  waiting(service: string): number;
  /** Services for which somebody waits. */
  services(): Iterable<string>;
}

interface Waiter extends Newcomer {
  readonly answer: (answer: Answer) => void;
}

export function createWaitingRoom(options: RoomOptions): WaitingRoom {
  const { free, rulesOf, why, onWait, now } = options;
  /** Of each service, those who wait, the first first. */
  const rooms = new Map<string, Waiter[]>();
  const onTheWay = createOnTheWay(now);

  function takePlace(service: string, id: string): boolean {
    const rules = rulesOf(service);
    // It was changed, or removed: Envoy knows what to do.
    if (rules === undefined) return true;
    const places = free(service);
    if (places === Number.POSITIVE_INFINITY) return true;
    if (places - onTheWay.at(service) < 1) return false;
    onTheWay.add(service, id, rules.arrivesMs);
    return true;
  }

  function join(service: string, waiter: Waiter): void {
    const room = rooms.get(service) ?? [];
    rooms.set(service, room);
    // Only one that is asked for again is not the last.
    const after = room.findLastIndex(({ cameAt }) => cameAt <= waiter.cameAt);
    room.splice(after + 1, 0, waiter);
  }

  function leaveRoom(service: string, waiter: Waiter): void {
    const room = rooms.get(service) ?? [];
    const index = room.indexOf(waiter);
    if (index >= 0) room.splice(index, 1);
    if (room.length === 0) rooms.delete(service);
  }

  return {
    async enter(service, newcomer, signal) {
      const rules = rulesOf(service);
      if (rules === undefined) return { kind: 'in' };
      const before = rooms.get(service)?.length ?? 0;
      // Whoever has waited goes first.
      if (before === 0 && takePlace(service, newcomer.id)) return { kind: 'in' };
      if (before >= rules.most) return { kind: 'refused', message: `${why(service)}, and ${before} wait already` };
      return new Promise((resolve) => {
        const finish = (answer: Answer): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', leave);
          leaveRoom(service, waiter);
          resolve(answer);
        };
        const leave = (): void => {
          finish({ kind: 'left' });
        };
        const waiter: Waiter = { ...newcomer, answer: finish };
        const timer = setTimeout(() => {
          const seconds = Math.round(rules.waitMs / 100) / 10;
          finish({ kind: 'refused', message: `${why(service)} within ${seconds} s` });
        }, rules.waitMs);
        signal.addEventListener('abort', leave, { once: true });
        join(service, waiter);
        if (signal.aborted) leave();
        else onWait(service);
      });
    },
    expect(service, id) {
      const rules = rulesOf(service);
      if (rules !== undefined) onTheWay.add(service, id, rules.arrivesMs);
    },
    arrived(id) {
      onTheWay.arrived(id);
    },
    look() {
      for (const service of [...rooms.keys()])
        for (let next = rooms.get(service)?.[0]; next !== undefined; next = rooms.get(service)?.[0]) {
          if (!takePlace(service, next.id)) break;
          next.answer({ kind: 'in' });
        }
    },
    waiting: (service) => rooms.get(service)?.length ?? 0,
    services: () => rooms.keys(),
  };
}
