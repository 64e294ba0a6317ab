/** For the tests of this folder: snapshots in shorthand, a stream driven by hand, a clock that only moves when told, a call without gRPC. */
import { messageType } from '@switchboard/proto';
import { createBudget } from './budget.ts';
import { openConnection, type Connection, type ConnectionLimits, type Failure } from './connection.ts';
import { delta } from './delta.ts';
import type { Output } from './events.ts';
import type { Timer } from './pacer.ts';
import type { Encoded } from './response-bytes.ts';
import type { Snapshot, TypeSet, TypeUrl } from './snapshot.ts';
import { sotw } from './sotw.ts';
import { createStream, type Stream, type StreamOptions } from './stream.ts';
import { CLUSTER, ENDPOINT, EXTENSION, LISTENER, ROUTE, SECRET } from './types.ts';
import type { Variant, XdsRequest } from './variant.ts';
import { deltaWire, sotwWire, type WireNode } from './wire.ts';

const URLS = { cds: CLUSTER, eds: ENDPOINT, lds: LISTENER, rds: ROUTE, sds: SECRET, ecds: EXTENSION } as const;
/** By short name: versions by name. */
export type Content = Partial<Record<keyof typeof URLS, Record<string, string>>>;

export function typeSet(entries: Record<string, string>, ttlMs?: number): TypeSet {
  const life = ttlMs === undefined ? {} : { ttlMs };
  const all = Object.entries(entries);
  return {
    version: JSON.stringify(all),
    resources: new Map(all.map(([name, version]) => [name, { name, version, body: new Uint8Array(), ...life }])),
  };
}

export function snapshot(revision: number, content: Content, more: Record<TypeUrl, TypeSet> = {}): Snapshot {
  const types = Object.entries(URLS).map(
    ([short, url]) => [url, typeSet(content[short as keyof Content] ?? {})] as const,
  );
  return { revision, types: new Map([...types, ...Object.entries(more)]) };
}

export function make(variant: Variant, first?: Snapshot, options: Partial<StreamOptions> = {}): Stream {
  const stream = createStream({ variant, noncePrefix: 'n', now: () => 0, ...options });
  if (first !== undefined) stream.snapshot(first);
  return stream;
}

export const ask = (type: TypeUrl, names: string[] = [], more: Partial<XdsRequest> = {}): XdsRequest => ({
  type,
  nonce: '',
  error: undefined,
  names,
  ...more,
});

/** `a@1,b@2 -c` for each response. */
export function names({ sends }: Pick<Output, 'sends'>): string[] {
  return sends.map(
    ({ resources, removed }) =>
      `${resources.map((one) => `${one.name}@${one.version}`).join(',')}${removed.length > 0 ? ` -${removed.join(',-')}` : ''}`,
  );
}

export const typesOf = ({ sends }: Output): TypeUrl[] => sends.map(({ type }) => type);
export const nonceOf = ({ sends }: Output): string => sends[0]?.nonce ?? '';

/** Acknowledges everything that was sent, until nothing more comes; returns all that came. `keep`: names to go on asking for. */
export function ackAll(stream: Stream, output: Output, keep: Partial<Record<TypeUrl, string[]>> = {}): string[] {
  const seen: string[] = [];
  const queue = [...output.sends];
  for (let send = queue.shift(); send !== undefined; send = queue.shift()) {
    if (seen.length > 1000) throw new Error('the stream never ends');
    seen.push(...names({ sends: [send] }));
    queue.push(...stream.request(ask(send.type, keep[send.type] ?? [], { nonce: send.nonce })).sends);
  }
  return seen;
}

export interface Time {
  now: () => number;
  timer: Timer;
  /** Moves the clock, and runs what is due on the way. */
  advance(ms: number): void;
  pending(): number;
}

export function time(): Time {
  let at = 0;
  const timers = new Set<{ due: number; run: () => void }>();
  return {
    now: () => at,
    timer(ms, run) {
      const entry = { due: at + ms, run };
      timers.add(entry);
      return () => timers.delete(entry);
    },
    advance(ms) {
      const end = at + ms;
      for (;;) {
        const next = [...timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
        if (next === undefined) break;
        timers.delete(next);
        at = Math.max(at, next.due);
        next.run();
      }
      at = end;
    },
    pending: () => timers.size,
  };
}

export interface FakeCall {
  readonly connection: Connection;
  readonly written: { nonce: string; type_url: string; resources: unknown[] }[];
  /** Failures it was ended with; undefined: it ended well. */
  readonly ended: (Failure | undefined)[];
  readonly opened: WireNode[];
  closed: number;
  /** What `write` answers. */
  isReading: boolean;
  clock: Time;
}

const LIMITS: ConnectionLimits = {
  requestsPerSecond: 100,
  requestsAtOnce: 200,
  firstRequestMs: 1_000,
  ageMs: 0,
  graceMs: 100,
};

export function bytesOf(encoded: Encoded): Buffer {
  const bytes = Buffer.alloc(encoded.byteLength);
  encoded.copy(bytes, 0);
  return bytes;
}

/** A response as the other side reads it. */
export function decoded(variant: Variant['name'], encoded: Encoded): FakeCall['written'][number] {
  const name = variant === 'sotw' ? 'DiscoveryResponse' : 'DeltaDiscoveryResponse';
  const type = messageType(`envoy.service.discovery.v3.${name}`);
  return type.toObject(type.decode(bytesOf(encoded)), {
    defaults: true,
    arrays: true,
    bytes: Buffer,
    longs: Number,
  }) as FakeCall['written'][number];
}

export function call(options: {
  variant?: 'sotw' | 'delta';
  only?: TypeUrl;
  first?: Snapshot;
  limits?: Partial<ConnectionLimits>;
  open?: (node: WireNode) => Stream | Failure;
  write?: () => boolean;
}): FakeCall {
  const variant = options.variant === 'sotw' ? sotw : delta;
  const clock = time();
  const fake: FakeCall = {
    written: [],
    ended: [],
    opened: [],
    closed: 0,
    isReading: true,
    clock,
    connection: openConnection({
      link: {
        write(message, read) {
          fake.written.push(decoded(variant.name, message));
          const isReading = options.write?.() ?? fake.isReading;
          if (isReading) read();
          return isReading;
        },
        end: (failure) => fake.ended.push(failure),
        cut: () => undefined,
      },
      wire: variant === sotw ? sotwWire : deltaWire,
      only: options.only,
      limits: { ...LIMITS, ...options.limits },
      budget: createBudget({ bytes: 1_000_000, slowMs: 10_000, clock: clock.now, timer: clock.timer }),
      clock: clock.now,
      timer: clock.timer,
      random: () => 0.5,
      open(node) {
        fake.opened.push(node);
        return options.open?.(node) ?? make(variant, options.first, { clock: clock.now });
      },
      after: () => undefined,
      closed: () => {
        fake.closed += 1;
      },
    }),
  };
  return fake;
}

/** A request as it comes off the wire, of either variant. */
export function message(type: TypeUrl, fields: object = {}, id: string | null = 'node'): object {
  return {
    node: id === null ? null : { id, cluster: '', locality: null, metadata: null },
    type_url: type,
    response_nonce: '',
    version_info: '',
    error_detail: null,
    resource_names: [],
    resource_names_subscribe: [],
    resource_names_unsubscribe: [],
    initial_resource_versions: {},
    ...fields,
  };
}
