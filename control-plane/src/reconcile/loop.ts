/**
 * The reconcile loop: compares what is wanted with what is there, does the next step of each instance through its runtime,
 * and publishes the FleetView. It holds no truth of its own beyond steps under way: all else is in the registry, so it can
 * be killed at any moment and goes on from there.
 */
import type { AwakeClock } from '../home/awake-clock.ts';
import type { FleetView } from '../model/fleet.ts';
import type { HealthDetail, HealthReport } from '../model/health.ts';
import type { Instance } from '../model/instance.ts';
import type { HeldLoadReport } from '../model/load.ts';
import type { Probe } from '../model/probe.ts';
import type { Names } from '../discovery/names.ts';
import type { Log } from '../log.ts';
import type { HealthProbe, ProbeLevel, ProbeResult } from '../probes/probe.ts';
import type { InstanceWrite, Registry, RegistryView } from '../registry/registry.ts';
import type { Exit, Runtime, RuntimeEvent } from '../runtime/runtime.ts';
import { nameFacts } from './addresses.ts';
import { adopt } from './adopt.ts';
import { DEFAULT_RESTART, afterExit, overMemory } from './endings.ts';
import { afterFailure } from './failure.ts';
import { createDrainNotices } from './drain-notices.ts';
import { createFleetBuilder } from './fleet.ts';
import { createHealthTargets } from './health-targets.ts';
import { createHealthMonitor } from './health.ts';
import { createFacts } from './facts.ts';
import { isSettled, nextStep, type Step } from './lifecycle.ts';
import { createOperations } from './operations.ts';
import { overAge } from './age.ts';
import { createWaitsFor } from './dependencies.ts';
import { drainLost } from './lost-leases.ts';
import { createPace } from './pace.ts';
import { plan } from './plan.ts';
import { runtimeIsAway, runtimeIsBack } from './reachability.ts';
import { LONGEST_REST_MS, SLOWEST_LOOK_MS, changesWithTime } from './rest.ts';
import { applyPlan } from './records.ts';
import { callStopHook } from './stop-hook.ts';
import { DEFAULT_PACE, createStartGate, type StartPace } from './start-gate.ts';
import { advanceRollouts } from './rollouts.ts';
import { servesClients } from './serving.ts';
import type { GatewayOpinion } from './verdict.ts';

export interface LoopOptions {
  readonly registry: Registry;
  /** By name; `external` has none. */
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly createProbe: (probe: Probe) => HealthProbe;
  /** Told of every check of an instance. */
  readonly onProbe?: (instance: string, result: ProbeResult) => void;
  /** The highest level that a probe of this type proves. */
  readonly levelOf: (type: string) => ProbeLevel;
  readonly gatewayOpinion: (instance: Instance) => GatewayOpinion | undefined;
  /** What the agent last told of itself. */
  readonly reported: (instance: string) => HeldLoadReport | undefined;
  /** What multiplies its weight while new sessions are steered; undefined: nothing. */
  readonly weightFactor: (instance: string) => number | undefined;
  /** Ends its open sessions as far as that is possible; called again and again until none is open. */
  readonly endSessionsOf: (instance: Instance, reason: string) => void;
  /** Where agents at DNS names are. */
  readonly names: Names;
  /** A file of authorities that this machine trusts, in PEM. */
  readonly systemTrust: string | undefined;
  readonly publish: (fleet: FleetView) => void;
  /** Open sessions; undefined: not known for certain. */
  readonly sessionsOn: (instance: Instance) => number | undefined;
  /** Every connected gateway runs this revision. */
  readonly isAcked: (revision: number) => boolean;
  /** Default: 16 at once, 10 ms apart, those of a service 50 ms. */
  readonly pace?: StartPace;
  readonly now: () => number;
  readonly awake: Pick<AwakeClock, 'elapsed' | 'wokeAt'>;
  readonly random: () => number;
  readonly randomId: (length: number) => string;
  readonly log: Log;
}

export interface Loop {
  /** Finds again what ran before, then begins. */
  start(): Promise<void>;
  /** Sessions or ACKs have changed: look again. */
  wake(): void;
  health(instance: string): HealthReport | undefined;
  healthDetail(instance: string): HealthDetail | undefined;
  /** Checks it now, at all levels. Undefined: it is not looked at in its present state. */
  checkNow(instance: string): Promise<HealthDetail | undefined>;
  /** Something else tells that it may be ill: it is checked now. */
  suspect(instance: string): void;
  /** What gateways or agent say of it has changed. */
  heard(instance: string): void;
  /** Its newest check got no answer at all from its host. */
  readonly unanswered: (instance: string) => boolean;
  /** Milliseconds since it became unhealthy; undefined: it is not. */
  readonly unhealthyFor: (instance: string) => number | undefined;
  /** Milliseconds, smoothed. */
  probeLatency(instance: string): number | undefined;
  /** Something that the FleetView stands on has changed. */
  republish(): void;
  /** Stops deciding; what runs goes on running. */
  close(): Promise<void>;
}

type Exited = Extract<RuntimeEvent, { type: 'exited' }>;

export function createLoop(options: LoopOptions): Loop {
  const { registry, runtimes, now, log } = options;
  const buildFleet = createFleetBuilder((instance) => options.weightFactor(instance));
  const gate = createStartGate(options.pace ?? DEFAULT_PACE, now);
  const operations = createOperations({
    registry,
    runtimes,
    log,
    now,
    onDone: (id) => {
      const ending = overlooked.get(id);
      overlooked.delete(id);
      if (ending !== undefined) onExit(ending);
      wake();
    },
  });
  const monitor = createHealthMonitor({
    createProbe: options.createProbe,
    levelOf: options.levelOf,
    gatewayOpinion: (id) => {
      const instance = registry.view().instances.get(id)?.value;
      return instance === undefined ? undefined : options.gatewayOpinion(instance);
    },
    reported: options.reported,
    now,
    monotonic: () => options.awake.elapsed(),
    wokeAt: () => options.awake.wokeAt(),
    random: options.random,
    ...(options.onProbe === undefined ? {} : { onResult: options.onProbe }),
    onChange: (id) => {
      // What is not ready is not in the FleetView, whatever its verdict.
      if (registry.view().instances.get(id)?.value.state === 'ready') verdicts.ask();
      wake();
    },
  });
  const endings: (() => void)[] = [];
  /** Runtimes whose instances have been found again, or found ended, since the start. */
  const accounted = new Set<string>();
  const healthTargets = createHealthTargets(options.systemTrust);
  /** Processes that ended while their start or stop was still under way. */
  const overlooked = new Map<string, Exited>();
  const verdicts = createPace(publish);
  const turns = createPace(async () =>
    turn().catch((error: unknown) => {
      log.error({ error }, 'a turn of the reconcile loop failed; it is tried again');
      restUntil = 0;
      lookAt(now() + SLOWEST_LOOK_MS);
    }),
  );
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  /** Nothing but a change or a lost lease is to be waited for until then. */
  let restUntil = 0;

  const knownSessions = (instance: Instance): number => options.sessionsOn(instance) ?? 0;

  const notices = createDrainNotices({
    registry,
    sessionsOf: knownSessions,
    now,
    onError: (error, instance) => {
      log.warn({ error, instance }, 'cannot tell an agent of its drain');
    },
  });

  function publish(): void {
    if (closed) return;
    options.publish(buildFleet(registry.view(), (id) => monitor.verdict(id)));
  }

  const factsOf = createFacts(options, monitor);
  const serves = (instance: Instance): boolean => servesClients(instance, monitor, now());

  /** One turn: write what the plan says, then take each instance's next step. */
  async function turn(): Promise<void> {
    await registry.writeRollouts(advanceRollouts(registry.view(), serves, now(), options.awake.wokeAt()));
    const names = nameFacts(options.names, registry.view(), serves, now());
    const planned = applyPlan(plan(registry.view(), knownSessions, names), { now: now(), randomId: options.randomId });
    const lost = drainLost(registry.view(), await registry.lostLeases(), now());
    await registry.writeInstances([...planned, ...lost, ...overAge(registry.view(), now())]);

    const view = registry.view();
    monitor.sync(healthTargets(view));
    const writes: InstanceWrite[] = [];
    const waitsFor = createWaitsFor(view);
    gate.look(
      [...view.instances.values()].map((held) => held.value),
      (id) => operations.isBusy(id),
    );
    let wakeAt = now() + SLOWEST_LOOK_MS;
    let atRest = !changesWithTime(view);
    for (const { value: instance, revision } of view.instances.values()) {
      if (operations.isBusy(instance.id)) {
        if (instance.drain !== undefined) operations.cancelStart(instance.id);
        atRest = false;
        continue;
      }
      if (isSettled(instance, monitor.verdict(instance.id))) continue;
      const step = nextStep(instance, factsOf(view, instance, revision, waitsFor));
      atRest &&= step.do === 'wait' && step.until === undefined;
      if (step.do === 'write')
        writes.push({
          op: 'update',
          id: instance.id,
          patch: step.patch,
          ...(step.event === undefined ? {} : { event: step.event }),
        });
      else if (step.do === 'delete')
        writes.push({ op: 'delete', id: instance.id, ...(step.event === undefined ? {} : { event: step.event }) });
      else if (step.do === 'wait') wakeAt = Math.min(wakeAt, step.until ?? wakeAt);
      else if (step.do === 'end-sessions') options.endSessionsOf(instance, instance.drain?.reason ?? 'Drain');
      else {
        const later = step.do === 'start' ? gate.ask(instance.service) : 0;
        if (later === 0) perform(view, instance, step);
        else wakeAt = Math.min(wakeAt, later);
      }
    }
    notices.look();
    if (writes.length > 0) {
      await registry.writeInstances(writes);
      wake();
    }
    restUntil = atRest ? now() + LONGEST_REST_MS : 0;
    lookAt(wakeAt);
  }

  function lookAt(time: number): void {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        void glance();
      },
      Math.max(10, time - now()),
    );
  }

  /** A whole turn for hundreds of instances costs some milliseconds: at rest it is spared. */
  async function glance(): Promise<void> {
    const nobodyLost = async (): Promise<boolean> => (await registry.lostLeases()).length === 0;
    if (now() < restUntil && (await nobodyLost().catch(() => false))) lookAt(now() + SLOWEST_LOOK_MS);
    else wake();
  }

  function perform(
    view: RegistryView,
    instance: Instance,
    step: Extract<Step, { do: 'start' | 'stop' | 'fail' }>,
  ): void {
    if (step.do === 'start') {
      const version = view.versions.get(instance.service)?.find((one) => one.number === instance.version);
      const restart = view.services.get(instance.service)?.value.spec.restart ?? DEFAULT_RESTART;
      operations.start(instance, version, (failure) =>
        afterFailure(instance, restart, failure, now(), options.random()),
      );
    } else if (step.do === 'stop')
      operations.stop(instance, step.graceMs, { op: 'delete', id: instance.id, event: step.event }, async () =>
        callStopHook({ registry, runtimes: options.runtimes }, instance),
      );
    else
      operations.stop(instance, step.graceMs, { op: 'update', id: instance.id, patch: step.patch, event: step.event });
  }

  function wake(): void {
    turns.ask();
  }

  /** A process ended that nobody here asked to end. */
  function onExit(event: Exited): void {
    const view = registry.view();
    const instance = view.instances.get(event.instance)?.value;
    if (instance === undefined) return;
    if (operations.isBusy(instance.id)) {
      overlooked.set(instance.id, event);
      return;
    }
    if (instance.process?.pid !== event.process.pid || instance.process.startTime !== event.process.startTime) return;
    const write = exitWrite(view, instance, event);
    registry.writeInstances([write]).then(wake, (error: unknown) => {
      log.error({ error, instance: instance.id }, 'cannot record that an instance ended; the next look finds it');
      wake();
    });
  }

  const exitWrite = (view: RegistryView, instance: Instance, exit: Exit): InstanceWrite =>
    afterExit(view, instance, exit, now(), options.random());

  const adoptFrom = async (some: ReadonlyMap<string, Runtime>): Promise<ReadonlyMap<string, string>> =>
    adopt({
      registry,
      runtimes: some,
      log,
      exitWrite: (instance, exit) => exitWrite(registry.view(), instance, exit),
    });

  function onEvent(name: string, runtime: Runtime, event: RuntimeEvent): void {
    switch (event.type) {
      case 'exited':
        onExit(event);
        break;
      case 'over-memory':
        record([overMemory(event.instance, event.bytes, event.limit, now())]);
        break;
      case 'progress':
        record([{ op: 'update', id: event.instance, patch: { message: event.message } }]);
        break;
      case 'unreachable':
        record(runtimeIsAway(registry.view(), name, event.message, now()));
        break;
      case 'reachable':
        void onReachable(name, runtime);
    }
  }

  async function onReachable(name: string, runtime: Runtime): Promise<void> {
    try {
      // Later ones are no news: the runtime itself has told what ended meanwhile.
      const reason = accounted.has(name) ? undefined : (await adoptFrom(new Map([[name, runtime]]))).get(name);
      if (reason !== undefined) {
        record(runtimeIsAway(registry.view(), name, reason, now()));
        return;
      }
      accounted.add(name);
      record(runtimeIsBack(registry.view(), name));
    } catch (error) {
      log.error({ error, runtime: name }, 'cannot find again what runs; the next connection tries anew');
    }
  }

  function record(writes: readonly InstanceWrite[]): void {
    registry.writeInstances(writes).then(wake, (error: unknown) => {
      log.error({ error }, 'cannot record what a runtime has told');
    });
  }

  return {
    async start() {
      const away = await adoptFrom(runtimes);
      for (const [name, runtime] of runtimes) {
        endings.push(
          runtime.watch((event) => {
            onEvent(name, runtime, event);
          }),
        );
        if (!away.has(name)) accounted.add(name);
        // It may have come within reach before it was watched.
        else void onReachable(name, runtime);
      }
      endings.push(
        registry.subscribe(() => {
          publish();
          wake();
        }),
      );
      monitor.sync(healthTargets(registry.view()));
      publish();
      wake();
    },
    wake,
    republish: publish,
    health: (instance) => monitor.report(instance),
    healthDetail: (instance) => monitor.detail(instance),
    checkNow: async (instance) => monitor.checkNow(instance),
    suspect: (instance) => {
      monitor.suspect(instance);
    },
    heard: (instance) => {
      monitor.heard(instance);
    },
    unhealthyFor: (instance) => monitor.unhealthyFor(instance),
    unanswered: (instance) => monitor.unanswered(instance),
    probeLatency: (instance) => monitor.latency(instance),
    async close() {
      closed = true;
      clearTimeout(timer);
      options.names.close();
      for (const end of endings) end();
      monitor.close();
      await Promise.all([verdicts.close(), turns.close()]);
      await operations.close();
    },
  };
}
