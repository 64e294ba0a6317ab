/** What `switchboard top` shows, from the API's lists and the last minute of its history. `topOf` is pure. */
import type { ApiClient } from '../api/client.ts';
import type { HistoryAnswer, InstanceView, ServiceView } from '../api/types.ts';
import { SwitchboardError } from '../model/errors.ts';
import { takesSessions } from '../model/takes-sessions.ts';
import { everyPage } from './pages.ts';

export const SUBJECTS = ['services', 'instances'] as const;
export type TopSubject = (typeof SUBJECTS)[number];

/** null: not known, or nothing to tell of. */
interface Figures {
  readonly sessions: number;
  readonly connectsPerSecond: number | null;
  readonly failuresPerSecond: number | null;
  readonly cpuCores: number | null;
  readonly memoryBytes: number | null;
  readonly handshakeP50Ms: number | null;
  readonly handshakeP99Ms: number | null;
}

export interface TopRow extends Figures {
  readonly name: string;
  /** Of an instance: its service. */
  readonly service: string;
  readonly state: string;
  /** Of an instance: 1 or 0 of 1. */
  readonly ready: number;
  readonly wanted: number;
}

export interface Top {
  readonly of: TopSubject;
  readonly at: string;
  /** What rates and latencies are of. */
  readonly windowSeconds: number;
  readonly total: Figures & { readonly ready: number; readonly wanted: number };
  readonly items: readonly TopRow[];
}

export interface TopParts {
  readonly at: number;
  readonly services: readonly Pick<ServiceView, 'name' | 'status'>[];
  readonly instances: readonly Pick<
    InstanceView,
    'id' | 'service' | 'state' | 'drain' | 'health' | 'sessions' | 'usage'
  >[];
  /** Totals of `connects` and `connect_failures`. */
  readonly counts: HistoryAnswer;
  /** `handshake_latency` as distributions. */
  readonly handshakes: HistoryAnswer;
}

const WINDOW_SECONDS = 60;
/** The most that the API tells apart at once. */
const MOST_SERIES = 500;

type Buckets = readonly { readonly le: number; readonly count: number }[];

/** The bound of the bucket that the quantile lies in; null: there is nothing. */
function quantileOf(buckets: Buckets, q: number): number | null {
  const wanted = q * buckets.reduce((sum, { count }) => sum + count, 0);
  let seen = 0;
  for (const { le, count } of buckets) {
    seen += count;
    if (seen >= wanted) return le;
  }
  return null;
}

/** Null when none is known: no figure is better than a wrong one. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((all, value) => all + value, 0);
}

function merged(all: readonly Buckets[]): Buckets {
  const counts = new Map<number, number>();
  for (const { le, count } of all.flat()) counts.set(le, (counts.get(le) ?? 0) + count);
  return [...counts].sort(([a], [b]) => a - b).map(([le, count]) => ({ le, count }));
}

function recordedSeconds({ from, to, gaps }: HistoryAnswer): number {
  const ms = (range: { readonly from: string; readonly to: string }): number =>
    Date.parse(range.to) - Date.parse(range.from);
  return (ms({ from, to }) - gaps.reduce((all, gap) => all + ms(gap), 0)) / 1000;
}

/**
 * By what was counted and not as a mean of rates: steps that were recorded in part would weigh too much. Of what the history has nothing
 * there was nothing, unless it left some out or was not recording.
 */
function rateOf(counts: HistoryAnswer, metric: string, fits: (labels: Labels) => boolean): number | null {
  const found = counts.series.filter((one) => one.metric === metric && fits(one.labels));
  const seconds = recordedSeconds(counts);
  if (seconds <= 0 || (found.length === 0 && counts.truncated > 0)) return null;
  return (sum(found.flatMap(({ values }) => values)) ?? 0) / seconds;
}

type TopLabel = 'service' | 'instance';
type Labels = HistoryAnswer['series'][number]['labels'];

function figuresOf(
  parts: TopParts,
  label: TopLabel,
  name: string,
  rest: Pick<Figures, 'sessions' | 'cpuCores' | 'memoryBytes'>,
): Figures {
  const buckets = parts.handshakes.distributions.find((one) => one.labels[label] === name)?.buckets ?? [];
  return {
    sessions: rest.sessions,
    connectsPerSecond: rateOf(parts.counts, 'connects', (labels) => labels[label] === name),
    failuresPerSecond: rateOf(parts.counts, 'connect_failures', (labels) => labels[label] === name),
    cpuCores: rest.cpuCores,
    memoryBytes: rest.memoryBytes,
    handshakeP50Ms: quantileOf(buckets, 0.5),
    handshakeP99Ms: quantileOf(buckets, 0.99),
  };
}

const usageOf = (instances: TopParts['instances']): Pick<Figures, 'cpuCores' | 'memoryBytes'> => ({
  cpuCores: sum(instances.map(({ usage }) => usage?.cpuCores ?? null)),
  memoryBytes: sum(instances.map(({ usage }) => usage?.memoryBytes ?? null)),
});

export function topOf(of: TopSubject, parts: TopParts): Top {
  const { services, instances, counts, handshakes, at } = parts;
  const owned = Map.groupBy(instances, ({ service }) => service);
  const items =
    of === 'services'
      ? services.map(({ name, status }): TopRow => ({
          name,
          service: name,
          state: status.state,
          ready: status.ready,
          wanted: status.wanted,
          ...figuresOf(parts, 'service', name, { sessions: status.sessions, ...usageOf(owned.get(name) ?? []) }),
        }))
      : instances.map((one): TopRow => ({
          name: one.id,
          service: one.service,
          state: one.drain !== undefined && one.state === 'ready' ? 'draining' : one.state,
          ready: one.state === 'ready' && one.drain === undefined && takesSessions(one.health) ? 1 : 0,
          wanted: 1,
          ...figuresOf(parts, 'instance', one.id, { sessions: one.sessions, ...usageOf([one]) }),
        }));
  const all = merged(handshakes.distributions.map(({ buckets }) => buckets));
  return {
    of,
    at: new Date(at).toISOString(),
    windowSeconds: WINDOW_SECONDS,
    total: {
      ready: items.reduce((count, one) => count + one.ready, 0),
      wanted: items.reduce((count, one) => count + one.wanted, 0),
      sessions: items.reduce((count, one) => count + one.sessions, 0),
      connectsPerSecond: rateOf(counts, 'connects', () => true),
      failuresPerSecond: rateOf(counts, 'connect_failures', () => true),
      ...usageOf(instances),
      handshakeP50Ms: quantileOf(all, 0.5),
      handshakeP99Ms: quantileOf(all, 0.99),
    },
    items,
  };
}

const NUMBERS = {
  sessions: 'sessions',
  connects: 'connectsPerSecond',
  failures: 'failuresPerSecond',
  cpu: 'cpuCores',
  memory: 'memoryBytes',
  p50: 'handshakeP50Ms',
  p99: 'handshakeP99Ms',
} as const satisfies Record<string, keyof Figures>;
export const SORTS = ['name', 'state', ...Object.keys(NUMBERS)] as readonly (keyof typeof NUMBERS | 'name' | 'state')[];
export type TopSort = (typeof SORTS)[number];

export function parseSort(text: string): TopSort {
  const found = SORTS.find((one) => one === text);
  if (found === undefined)
    throw new SwitchboardError('invalid', `--sort must be one of ${SORTS.join(', ')}, not ${text}`);
  return found;
}

/** Names from a to z, states with what is not well first, figures with the largest first; equal ones by name. */
export function sorted(rows: readonly TopRow[], by: TopSort, reverse: boolean): TopRow[] {
  const byName = (a: TopRow, b: TopRow): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const missing = ({ ready, wanted }: TopRow): number => wanted - ready;
  const order = (a: TopRow, b: TopRow): number => {
    if (by === 'name') return byName(a, b);
    if (by === 'state') return missing(b) - missing(a) || (a.state < b.state ? -1 : a.state > b.state ? 1 : 0);
    return (b[NUMBERS[by]] ?? -1) - (a[NUMBERS[by]] ?? -1);
  };
  return rows.toSorted((a, b) => (reverse ? -1 : 1) * order(a, b) || byName(a, b));
}

/** `service`: of this one alone. Error: `not_found`. */
export async function readTop(client: ApiClient, of: TopSubject, service: string | undefined): Promise<Top> {
  const history = {
    by: of === 'services' ? 'service' : 'instance',
    from: `${WINDOW_SECONDS}s`,
    step: '10s',
    limit: MOST_SERIES,
    ...(service === undefined ? {} : { service }),
  };
  const [services, instances, counts, handshakes] = await Promise.all([
    service === undefined
      ? everyPage(async (cursor) =>
          client.services({ fields: 'name,status', ...(cursor === undefined ? {} : { cursor }) }),
        )
      : [await client.service(service)],
    everyPage(async (cursor) =>
      client.instances({
        fields: 'id,service,state,drain,health.verdict,health.gateway,sessions,usage',
        ...(service === undefined ? {} : { service }),
        ...(cursor === undefined ? {} : { cursor }),
      }),
    ),
    client.timeseries({ ...history, metric: 'connects,connect_failures', stat: 'total' }),
    client.timeseries({ ...history, metric: 'handshake_latency', stat: 'distribution' }),
  ]);
  return topOf(of, { at: Date.now(), services, instances, counts, handshakes });
}
