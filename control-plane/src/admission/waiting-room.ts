/**
 * Clients that wait until an instance can take them: none runs yet (scale from zero), or all are full. First come, first served; nobody waits
 * longer than its service allows. Whoever was let in and is not counted yet is remembered for a moment, so that a place is not given twice.
 */

/** What a service allows to those who wait; the service itself decides who has to. */
export interface WaitRules {
  /** More are turned away at once. */
  readonly most: number;
  readonly waitMs: number;
}

export interface RoomOptions {
  /** Sessions that can be opened at the service now; Infinity: it does not count. */
  readonly free: (service: string) => number;
  /** Undefined: nobody waits for this service, and whoever comes is let through. */
  readonly rulesOf: (service: string) => WaitRules | undefined;
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
  /** `client` is the same when it is asked for again: it then waits on from where it was. */
  enter(service: string, client: string, signal: AbortSignal): Promise<Answer>;
  /** Something has changed: lets in whoever can be. */
  look(): void;
  waiting(service: string): number;
  /** All that wait, over all services. */
  total(): number;
}

/** A session that was let in is counted by the gateway within this time. */
const COUNTED_MS = 1_000;

/** Whoever was asked for and is not within this time has left. */
const AGAIN_MS = 5_000;

interface Waiter {
  readonly since: number;
  readonly answer: (answer: Answer) => void;
}

export function createWaitingRoom(options: RoomOptions): WaitingRoom {
  const { free, rulesOf, why, onWait, now } = options;
  const rooms = new Map<string, Set<Waiter>>();
  const letIn = new Map<string, number[]>();
  /** Since when a client waits that may be asked for again, and until when it is remembered. */
  const paused = new Map<string, { readonly since: number; readonly until: number }>();

  function notCounted(service: string): number[] {
    const recent = (letIn.get(service) ?? []).filter((at) => now() - at < COUNTED_MS);
    if (recent.length === 0) letIn.delete(service);
    else letIn.set(service, recent);
    return recent;
  }

  function takePlace(service: string): boolean {
    const places = free(service);
    if (places === Number.POSITIVE_INFINITY) return true;
    const taken = notCounted(service);
    if (places - taken.length < 1) return false;
    letIn.set(service, [...taken, now()]);
    return true;
  }

  /** The moment at which a client began to wait: now, unless it was here before. */
  function sinceOf(client: string): number {
    for (const [id, { until }] of paused) if (until < now()) paused.delete(id);
    const since = paused.get(client)?.since ?? now();
    paused.delete(client);
    return since;
  }

  function lookAt(service: string, room: Set<Waiter>): void {
    for (const waiter of [...room].sort((a, b) => a.since - b.since)) {
      if (!takePlace(service)) return;
      waiter.answer({ kind: 'in' });
    }
  }

  return {
    async enter(service, client, signal) {
      const rules = rulesOf(service);
      if (rules === undefined) return { kind: 'in' };
      const room = rooms.get(service) ?? new Set<Waiter>();
      // Whoever has waited goes first.
      if (room.size === 0 && takePlace(service)) return { kind: 'in' };
      if (room.size >= rules.most)
        return { kind: 'refused', message: `${why(service)}, and ${room.size} wait already` };
      rooms.set(service, room);
      const since = sinceOf(client);
      return new Promise((resolve) => {
        const finish = (answer: Answer): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', leave);
          room.delete(waiter);
          if (room.size === 0) rooms.delete(service);
          resolve(answer);
        };
        const leave = (): void => {
          if (client !== '') paused.set(client, { since, until: now() + AGAIN_MS });
          finish({ kind: 'left' });
        };
        const waiter: Waiter = { since, answer: finish };
        const timer = setTimeout(
          () => {
            const seconds = Math.round(rules.waitMs / 100) / 10;
            finish({ kind: 'refused', message: `${why(service)} within ${seconds} s` });
          },
          since + rules.waitMs - now(),
        );
        signal.addEventListener('abort', leave, { once: true });
        room.add(waiter);
        if (signal.aborted) leave();
        else onWait(service);
      });
    },
    look() {
      for (const [service, room] of rooms) lookAt(service, room);
    },
    waiting: (service) => rooms.get(service)?.size ?? 0,
    total: () => [...rooms.values()].reduce((sum, room) => sum + room.size, 0),
  };
}
