/** The reconcile loop, joined to what it decides on (sessions, ACKs) and to where its FleetView goes (translation, xDS). */
import { randomInt } from 'node:crypto';
import type { Drivers } from '../drivers.ts';
import { createLookup } from '../discovery/lookup.ts';
import { createNames } from '../discovery/names.ts';
import type { AwakeClock } from '../home/awake-clock.ts';
import type { RevisionLog } from '../home/revisions.ts';
import type { Log } from '../log.ts';
import type { FleetView } from '../model/fleet.ts';
import type { ProbeResult } from '../probes/probe.ts';
import { createLoop, type Loop } from '../reconcile/loop.ts';
import type { Rebalancer } from '../reconcile/rebalance.ts';
import type { Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { AgentReports } from '../telemetry/agent-reports.ts';
import type { Session } from '../telemetry/session.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { Translation, Translator } from '../translate/create.ts';
import type { Problem } from '../translate/options.ts';
import type { XdsServer } from '../xds/server.ts';
import type { GatewayView } from './gateway-view.ts';
import { sessionsAtInstance } from './sessions.ts';

export interface LoopParts {
  readonly registry: Registry;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly drivers: Drivers;
  readonly translator: Translator;
  readonly xds: XdsServer;
  readonly revisions: RevisionLog;
  readonly sessions: SessionTable;
  /** Told of every check of an instance. */
  readonly onProbe: (instance: string, result: ProbeResult) => void;
  readonly reports: AgentReports;
  readonly gatewayView: GatewayView;
  readonly rebalancer: Rebalancer;
  readonly dnsServers: readonly string[];
  /** A file of authorities that this machine trusts, in PEM. */
  readonly systemTrust: string | undefined;
  readonly endSessions: (sessions: readonly Session[], reason: string) => Promise<unknown>;
  readonly now: () => number;
  readonly awake: AwakeClock;
  readonly log: Log;
}

const ASK_AGAIN_MS = 2_000;
/** Readable aloud: no 0, 1, l or o. */
const ID_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

function randomId(length: number): string {
  return Array.from({ length }, () => ID_LETTERS[randomInt(ID_LETTERS.length)] ?? 'x').join('');
}

/** Resolves when what ran before has been found again and the first FleetView is published. */
export async function startLoop(parts: LoopParts): Promise<{
  loop: Loop;
  problems: () => readonly Problem[];
  /** What was published last. */
  fleet: () => FleetView;
  /** Publishes what changed with the live signals. */
  refresh: (what: 'capacity' | 'weights') => void;
}> {
  const { translator, xds, revisions, sessions, log } = parts;
  let problems: readonly Problem[] = [];
  let published: FleetView = { revision: 0, generation: 0, services: [], routes: [] };

  function publish(fleet: FleetView): void {
    published = fleet;
    const translated = translator.translate(fleet);
    revisions.published(fleet.revision);
    send(translated);
  }

  function send(translated: Translation): void {
    for (const problem of translated.problems) {
      if (!problems.some((old) => old.name === problem.name && old.message === problem.message))
        log.warn({ problem }, 'a resource can not be served as it is');
    }
    problems = translated.problems;
    xds.publish(translated.snapshot);
  }

  const names = createNames({
    lookup: createLookup(parts.dnsServers),
    onChange: () => {
      loop.wake();
    },
    random: Math.random,
  });
  const askedAt = new Map<string, number>();
  const loop = createLoop({
    registry: parts.registry,
    runtimes: parts.runtimes,
    createProbe: (probe) => parts.drivers.createProbe(probe),
    onProbe: parts.onProbe,
    levelOf: (type) => parts.drivers.probeLevel(type),
    gatewayOpinion: (instance) => parts.gatewayView.of(instance),
    reported: (instance) => parts.reports.get(instance),
    weightFactor: (instance) => parts.rebalancer.factor(instance),
    endSessionsOf: (instance, reason) => {
      // Asked at every turn until none is open: an agent needs a moment for it.
      if (performance.now() - (askedAt.get(instance.id) ?? -Infinity) < ASK_AGAIN_MS) return;
      askedAt.set(instance.id, performance.now());
      void parts.endSessions(
        sessions.list().filter((session) => session.instance === instance.id),
        reason,
      );
    },
    names,
    systemTrust: parts.systemTrust,
    publish,
    sessionsOn: (instance) => {
      const known = sessionsAtInstance(sessions)(instance);
      return known > 0 || instance.address === undefined || sessions.counts().settled ? known : undefined;
    },
    isAcked: (revision) => {
      const { acked, pending, refused } = xds.report(revision);
      // With no gateway connected it is acknowledged only if none can be serving.
      return pending.length === 0 && (acked.length + refused.length > 0 || sessions.counts().settled);
    },
    now: parts.now,
    awake: parts.awake,
    random: Math.random,
    randomId,
    log,
  });
  await loop.start();
  return {
    loop,
    problems: () => problems,
    fleet: () => published,
    refresh(what) {
      const translated = translator.refresh(what);
      if (translated !== undefined) send(translated);
    },
  };
}
