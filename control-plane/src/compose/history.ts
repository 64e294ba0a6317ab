/** What is recorded over time, joined to those who know it: sessions and refusals from Envoy, checks, what instances use. */
import { createHistory, type History } from '../history/create.ts';
import { memorySeries } from '../history/drivers/memory.ts';
import { sqliteSeries } from '../history/drivers/sqlite.ts';
import type { Labels, MetricName } from '../history/metrics.ts';
import type { Log } from '../log.ts';
import type { Instance } from '../model/instance.ts';
import type { LoadSignals } from '../model/load.ts';
import type { ProbeResult } from '../probes/probe.ts';
import type { RegistryView } from '../registry/registry.ts';
import { databaseOf } from '../store/drivers/sqlite.ts';
import type { Store } from '../store/store.ts';
import type { EndCause } from '../telemetry/ending.ts';
import type { RefusedRequest } from '../telemetry/refusal.ts';
import type { EndedSession, Session, SessionChange } from '../telemetry/session.ts';
import { serviceOfCluster } from '../translate/pools.ts';
import { instanceAt } from './sessions.ts';

export interface HistoryParts {
  readonly store: Store;
  readonly view: () => RegistryView;
  readonly sessions: () => readonly Session[];
  readonly signals: (instance: string) => LoadSignals | undefined;
  /** Told of all that is recorded as it happens; gauges are looked at, so they are not told. */
  readonly onRecord?: (metric: MetricName, labels: Labels, value: number) => void;
  readonly now: () => number;
  readonly log: Log;
}

export interface HistoryFeed {
  readonly history: History;
  readonly session: (change: SessionChange) => void;
  readonly bytes: (session: Session, received: number, sent: number) => void;
  readonly refused: (request: RefusedRequest) => void;
  readonly probed: (instance: string, result: ProbeResult) => void;
  readonly close: () => void;
}

/**
 * A session whose end was told from so long before to so long after an instance ended by itself counts as gone with it: on a busy machine
 * either may be noticed late.
 */
const BEFORE_EXIT_MS = 5_000;
const AFTER_EXIT_MS = 5_000;
/** A session that its agent ends sooner than this has hardly begun. */
const EARLY_MS = 30_000;
/** What became of an agent is known a moment after its sessions have ended. */
const SETTLE_MS = 5_000;

export function endCause(session: EndedSession, instance: Instance | undefined): EndCause {
  if (session.how === 'WireSilent') return 'instance_lost';
  if (session.endedBy !== 'agent') {
    if (/\bSI\b/.test(session.details)) return 'idle';
    if (/\b(DT|UMSDR)\b/.test(session.details)) return 'max_duration';
    return session.endedBy === 'gateway' ? 'gateway_lost' : session.endedBy;
  }
  if (session.instance !== null) {
    if (instance === undefined || instance.state === 'stopping' || instance.state === 'stopped') return 'drained';
    const sinceExit = Date.parse(session.endedAt) - Date.parse(instance.lastExit?.at ?? '');
    if (sinceExit > -BEFORE_EXIT_MS && sinceExit < AFTER_EXIT_MS) return 'instance_lost';
  }
  return /\bUR\b/.test(session.details) ? 'reset' : 'agent';
}

function serviceOfRoute(route: string, view: RegistryView): string | undefined {
  const [kind, name = ''] = route.split('/');
  if (kind === 'service') return name;
  const target = kind === 'route' ? view.routes.get(name)?.value.spec.target : undefined;
  return target !== undefined && 'service' in target ? target.service : undefined;
}

export function feedHistory(parts: HistoryParts): HistoryFeed {
  const { view, now } = parts;
  const file = databaseOf(parts.store)?.name;
  const labels = new Map<string, Labels>();

  /** The same object for the same place: finding its series is then a look into a map. */
  function labelsOf(service: string, version: string, instance: string, gateway: string, cause = ''): Labels {
    const key = `${service} ${version} ${instance} ${gateway} ${cause}`;
    let found = labels.get(key);
    if (found === undefined) {
      found = {
        ...(service === '' ? {} : { service }),
        ...(version === '' ? {} : { version }),
        ...(instance === '' ? {} : { instance }),
        ...(gateway === '' ? {} : { gateway }),
        ...(cause === '' ? {} : { cause }),
      };
      // Instances come and go: what is no longer used is made again.
      if (labels.size > 20_000) labels.clear();
      labels.set(key, found);
    }
    return found;
  }
  const place = ({ service, version, instance, gateway }: Session, cause?: string): Labels =>
    labelsOf(service, version === null ? '' : String(version), instance ?? '', gateway, cause);
  const own = ({ service, version, id }: Instance): Labels => labelsOf(service, String(version), id, '');

  const history = createHistory({
    store: file === undefined ? memorySeries() : sqliteSeries(file),
    now,
    log: parts.log,
    look({ observe }) {
      const open = new Map<Labels, number>();
      for (const session of parts.sessions()) {
        const where = place(session);
        open.set(where, (open.get(where) ?? 0) + 1);
      }
      for (const [where, count] of open) observe('sessions_open', where, count);
      for (const { value: instance } of view().instances.values()) {
        if (instance.state === 'ready' && instance.drain === undefined) observe('instances_ready', own(instance), 1);
        const signals = parts.signals(instance.id);
        if (signals?.cpuCores !== undefined) observe('cpu', own(instance), signals.cpuCores);
        if (signals?.memoryBytes !== undefined) observe('memory', own(instance), signals.memoryBytes);
      }
    },
  });
  const { recorder } = history;
  function add(metric: MetricName, where: Labels, amount: number): void {
    recorder.add(metric, where, amount);
    parts.onRecord?.(metric, where, amount);
  }
  function observed(metric: MetricName, where: Labels, value: number): void {
    recorder.observe(metric, where, value);
    parts.onRecord?.(metric, where, value);
  }
  const ended: { session: EndedSession; at: number }[] = [];

  function settle(until: number): void {
    const waiting = ended.findIndex(({ at }) => at > until);
    for (const { session } of ended.splice(0, waiting < 0 ? ended.length : waiting)) {
      const instance = session.instance === null ? undefined : view().instances.get(session.instance)?.value;
      add('session_ends', place(session, endCause(session, instance)), 1);
    }
  }
  const settling = setInterval(() => {
    settle(now() - SETTLE_MS);
  }, 1_000);
  settling.unref();

  return {
    history,
    session(change) {
      if (change.type === 'opened') {
        // One that was open already when it was first heard of was no connect of now.
        if (!change.seen.isNew) return;
        add('connects', place(change.session), 1);
        if (change.seen.handshakeMs !== undefined)
          observed('handshake_latency', place(change.session), change.seen.handshakeMs);
        return;
      }
      observed('session_length', place(change.session), change.session.durationMs / 1000);
      if (change.session.durationMs < EARLY_MS && change.session.endedBy === 'agent')
        add('early_ends', place(change.session), 1);
      ended.push({ session: change.session, at: now() });
    },
    bytes(session, received, sent) {
      add('bytes_received', place(session), received);
      add('bytes_sent', place(session), sent);
    },
    refused({ gateway, route, cluster, upstream, cause }) {
      const present = view();
      const instance = instanceAt(present, cluster, upstream);
      const service = instance?.service ?? serviceOfRoute(route, present) ?? serviceOfCluster(cluster);
      add(
        'connect_failures',
        labelsOf(service, String(instance?.version ?? ''), instance?.id ?? '', gateway, cause),
        1,
      );
    },
    probed(id, result) {
      const instance = view().instances.get(id)?.value;
      // While it starts, failing is what checks do.
      if (instance?.state !== 'ready') return;
      if (result.ok) observed('probe_latency', own(instance), result.latencyMs);
      else add('probe_failures', own(instance), 1);
    },
    close() {
      clearInterval(settling);
      settle(Infinity);
      history.close();
    },
  };
}
