/** Sessions that were let in and are not counted yet, so that a place is not given twice. */

export interface OnTheWay {
  /** A record of it that is lost must not keep a place for ever: after `mostMs` it counts no more. */
  add(service: string, id: string, mostMs: number): void;
  /** It is counted now, or it has ended. Of several with one id it is the oldest. */
  arrived(id: string): void;
  at(service: string): number;
}

export function createOnTheWay(now: () => number): OnTheWay {
  // Oldest first. Few: each is here for the milliseconds that Envoy needs to open it.
  let all: { readonly service: string; readonly id: string; readonly until: number }[] = [];

  return {
    add(service, id, mostMs) {
      all.push({ service, id, until: now() + mostMs });
    },
    arrived(id) {
      const index = all.findIndex((one) => one.id === id);
      if (index >= 0) all.splice(index, 1);
    },
    at(service) {
      const present = now();
      all = all.filter(({ until }) => until > present);
      return all.reduce((sum, one) => sum + (one.service === service ? 1 : 0), 0);
    },
  };
}
