/** What the whole installation is doing: the answer of `switchboard status` and /readyz. */

export interface EnvoyStatus {
  readonly state: 'starting' | 'running' | 'draining' | 'backoff' | 'stopped';
  readonly pid: number | null;
  readonly version: string;
  /** True if it was found running when the control plane started. */
  readonly adopted: boolean;
  readonly startedAt: string | null;
  readonly restarts: number;
  /** Last line of its log when it ended by itself; empty: none. */
  readonly reason: string;
  /** One that was replaced and serves on what it has open; `until`: then it is ended (null: never). */
  readonly former: { readonly pid: number; readonly since: string; readonly until: string | null } | null;
}

export interface SystemStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly revision: number;
  readonly controlPlane: { readonly pid: number; readonly node: string };
  /** `url` is what clients use: ws://127.0.0.1:8800 */
  readonly gateway: { readonly url: string; readonly host: string; readonly port: number };
  readonly api: { readonly url: string; readonly host: string; readonly port: number };
  readonly xds: { readonly host: string; readonly port: number };
  readonly data: string;
  readonly envoy: EnvoyStatus;
  readonly agents: readonly {
    readonly instance: string;
    readonly service: string;
    readonly state: string;
    readonly pid: number | null;
    readonly address: string | null;
  }[];
  readonly sessions: { readonly open: number; readonly settled: boolean };
}

export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

export interface RevisionTimeline {
  readonly revision: number;
  readonly committedAt: string;
  readonly publishedAt: string | null;
  readonly changes: readonly { readonly op: 'put' | 'delete'; readonly key: string }[];
  readonly gateways: readonly {
    readonly node: string;
    readonly state: 'acked' | 'pending' | 'refused';
    readonly sentAt: string | null;
    /** When it was acknowledged. */
    readonly at: string | null;
    readonly message: string;
  }[];
}
