/**
 * Open sessions over time, sampled in this tab from the live feed: one point a second, for a quarter of an hour. What is older
 * comes from the control plane (stored.ts).
 */
import type { LiveState } from '../../../control-plane/src/api/types.ts';

const KEPT = 900;

export interface Series {
  /** Seconds since the epoch, ascending. */
  readonly at: readonly number[];
  /** null: nothing is known of that time. */
  readonly values: readonly (number | null)[];
}

export class History {
  /** Grows with every point: what reads it is drawn anew. */
  version = $state(0);
  #at: number[] = [];
  #total: number[] = [];
  #services = new Map<string, number[]>();

  /** To be called once a second. */
  sample(state: LiveState, now: number): void {
    this.#at.push(now / 1000);
    this.#total.push(state.status.sessions.open);
    for (const service of state.services) {
      const values = this.#services.get(service.name) ?? [];
      values.push(service.status.sessions);
      if (values.length > KEPT) values.shift();
      this.#services.set(service.name, values);
    }
    if (this.#at.length > KEPT) {
      this.#at.shift();
      this.#total.shift();
    }
    if (this.#services.size > state.services.length) {
      const names = new Set(state.services.map((one) => one.name));
      for (const name of this.#services.keys()) if (!names.has(name)) this.#services.delete(name);
    }
    this.version += 1;
  }

  /** Of all services, or of one. Copies. */
  points(service?: string): Series {
    void this.version;
    const values = service === undefined ? this.#total : (this.#services.get(service) ?? []);
    return { at: this.#at.slice(this.#at.length - values.length), values: values.slice() };
  }

  /** The last `count` values, for a sparkline. */
  recent(service: string | undefined, count: number): readonly number[] {
    void this.version;
    return (service === undefined ? this.#total : (this.#services.get(service) ?? [])).slice(-count);
  }
}
