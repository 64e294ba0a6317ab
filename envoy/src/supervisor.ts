/** What keeps an Envoy running, as others see it. */

import type { Address } from './bootstrap.ts';

export interface EnvoyStatus {
  readonly state: 'starting' | 'running' | 'draining' | 'backoff' | 'stopped';
  readonly pid: number | null;
  readonly version: string;
  readonly adopted: boolean;
  readonly startedAt: string | null;
  readonly restarts: number;
  readonly reason: string;
  /** One that has handed over to this one and serves on what it has open; null: there is none. */
  readonly former: { readonly pid: number; readonly since: string; readonly until: string | null } | null;
  /** Settings that it was started with and that are others now, such as `envoy.concurrency (2, now 4)`: they hold from its next start on. */
  readonly outdated: readonly string[];
}

export interface EnvoyOptions {
  /** Absolute folder of its own. */
  readonly folder: string;
  readonly binary: string;
  readonly version: string;
  readonly nodeId: string;
  /** Where its clients connect. */
  readonly client: Address;
  /** Where else they do, such as through balancers that speak the PROXY protocol. */
  readonly alsoAt: readonly Address[];
  /** The host at which programs of this machine find it. */
  readonly reachedAt: string;
  /** One that was started for anything else must be replaced. */
  readonly startedFor: string;
  /** What it reads at its start alone, as text by the name of the setting; empty: not set. */
  readonly settings: Readonly<Record<string, string>>;
  /** The bootstrap for a given admin socket. */
  readonly bootstrap: (adminPath: string) => object;
  readonly concurrency: number;
  readonly logLevel: string;
  /** Asked before its clients' address is listened on for the first time; what it throws is what `start` throws. */
  mayListen(): Promise<void>;
  readonly now: () => number;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export interface EnvoySupervisor {
  /**
   * Adopts the one that runs, or starts one; then keeps it running. `movedFrom`: its clients' address was another till now. `lost`: one that nobody has
   * ended here has gone.
   */
  start(): Promise<{ readonly movedFrom: Address | undefined; readonly lost: boolean }>;
  status(): EnvoyStatus;
  /** Who it is, as one text; empty: none runs. */
  identity(): string;
  /** The same of the one that has handed over to it; empty: there is none. */
  formerIdentity(): string;
  /** Why the running one must be replaced, whatever else runs; undefined: it need not. */
  whyOutdated(): string | undefined;
  watch(listener: (status: EnvoyStatus) => void): () => void;
  /** Open sessions of the running one, as it counts them; undefined: it does not answer. */
  openSessions(): Promise<number | undefined>;
  admin(path: string, options?: { method?: 'GET' | 'POST' }): Promise<string>;
  /** Why it can't be replaced now; undefined: it can. */
  whyNotReplace(): { readonly kind: 'unsupported' | 'conflict'; readonly message: string } | undefined;
  /** One of an earlier version ends by itself what it has open, within this time of being replaced; undefined: it does not. */
  sessionsEndWithinMs(): number | undefined;
  /**
   * Starts a new one that takes all new connections, without a gap; what the old one has open goes on there, until `untilMs` from now if that is given. Resolves
   * once the new one serves. Throws, and the old one goes on, when the new one does not come up.
   */
  replace(options: { untilMs: number | undefined }): Promise<void>;
  /** No new connections; ends it when no session is open or the time is over. */
  stop(options: { drainMs: number }): Promise<void>;
  /** Stops looking after it. It goes on running. */
  close(): void;
}
