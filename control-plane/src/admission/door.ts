/**
 * The door of a service: a client address may have only so many sessions there, also counting those that wait or are on their way; whoever
 * may have one more goes on into the waiting room.
 */
import { createOnTheWay } from './on-the-way.ts';
import type { Answer, Newcomer, WaitingRoom } from './waiting-room.ts';

export interface Caller extends Newcomer {
  /** Of the client, without a port; empty: not known, and then not limited. */
  readonly address: string;
}

export interface ClientRules {
  /** Sessions of one client address at once. */
  readonly most: number;
  /** Whoever was let in is a session within this time, or it never will be. */
  readonly arrivesMs: number;
}

export interface DoorOptions {
  readonly room: Pick<WaitingRoom, 'enter' | 'expect' | 'arrived' | 'look'>;
  /** Undefined: clients are not limited. */
  readonly rulesOf: (service: string) => ClientRules | undefined;
  /** Somebody is let in. */
  readonly onIn: (service: string, caller: Caller) => void;
  /** Sessions that a client address has open there. */
  readonly openOf: (service: string, address: string) => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

export type DoorAnswer = Answer | { readonly kind: 'too-many'; readonly message: string };

export interface Door {
  enter(service: string, caller: Caller, signal: AbortSignal): Promise<DoorAnswer>;
  /** It was let in by the control plane before. */
  expect(service: string, caller: Pick<Caller, 'id' | 'address'>): void;
  /** The session of this caller is counted, or it will never be. */
  arrived(id: string): void;
  /** Something has changed. */
  look(): void;
}

/** Envoy tells of an end within a tenth of a second: one that leaves and comes back at once is not too many. */
const TOLD_MS = 300;

export function createDoor({ room, rulesOf, openOf, onIn, now }: DoorOptions): Door {
  /** Those who wait or are on their way, each client at each service for itself. */
  const coming = createOnTheWay(now);
  const late = new Set<() => void>();

  /** Takes one of the client's own places. */
  function take(service: string, { id, address }: Caller, most: number): boolean {
    const client = `${service} ${address}`;
    if (openOf(service, address) + coming.at(client) >= most) return false;
    coming.add(client, id, Number.POSITIVE_INFINITY);
    return true;
  }

  async function takeSoon(service: string, caller: Caller, most: number, signal: AbortSignal): Promise<boolean> {
    if (take(service, caller, most)) return true;
    return new Promise((resolve) => {
      const finish = (taken: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        late.delete(again);
        resolve(taken);
      };
      const giveUp = (): void => {
        finish(false);
      };
      const again = (): void => {
        if (take(service, caller, most)) finish(true);
      };
      const timer = setTimeout(giveUp, TOLD_MS);
      signal.addEventListener('abort', giveUp, { once: true });
      late.add(again);
    });
  }

  return {
    async enter(service, caller, signal) {
      const { id, address } = caller;
      const rules = address === '' ? undefined : rulesOf(service);
      if (rules === undefined) {
        const answer = await room.enter(service, caller, signal);
        if (answer.kind === 'in') onIn(service, caller);
        return answer;
      }
      if (!(await takeSoon(service, caller, rules.most, signal))) {
        const message = `${address} has the ${rules.most} sessions that a client may have at ${service}`;
        return signal.aborted ? { kind: 'left' } : { kind: 'too-many', message };
      }
      const answer = await room.enter(service, caller, signal);
      coming.arrived(id);
      if (answer.kind === 'in') {
        coming.add(`${service} ${address}`, id, rules.arrivesMs);
        onIn(service, caller);
      }
      return answer;
    },
    expect(service, { id, address }) {
      const rules = address === '' ? undefined : rulesOf(service);
      if (rules !== undefined) coming.add(`${service} ${address}`, id, rules.arrivesMs);
      room.expect(service, id);
    },
    arrived(id) {
      coming.arrived(id);
      room.arrived(id);
    },
    look() {
      for (const again of late) again();
      room.look();
    },
  };
}
