/**
 * The composition root. Start order: folder and lock, store, registry, gRPC for Envoy, runtimes and loop (which finds again
 * what runs), Envoy, API. Nothing is told to an Envoy before the registry is loaded and what runs has been found. Stop order:
 * the other way round; Envoy and the agents go on running.
 */
import { hostname } from 'node:os';
import { findEnvoy } from '@switchboard/envoy';
import { startApi } from '../api/server.ts';
import { serverCredentials } from '../certificates/credentials.ts';
import { createKeeper } from '../certificates/keeper.ts';
import { createPeers } from '../certificates/peers.ts';
import type { Config } from '../config.ts';
import { loadDrivers } from '../drivers.ts';
import { lockFolder, prepareFolder } from '../home/folder.ts';
import { destroySocket, whyNotDestroy } from '../home/destroy-socket.ts';
import { isAlive, ownIdentity } from '../home/process-identity.ts';
import { createAwakeClock } from '../home/awake-clock.ts';
import { createRevisionLog } from '../home/revisions.ts';
import { adminToken, instanceTokens } from '../home/token.ts';
import type { Log } from '../log.ts';
import { hostPort } from '../model/address.ts';
import type { LoadSignals } from '../model/load.ts';
import type { SystemStatus } from '../model/system.ts';
import { takesSessions } from '../model/takes-sessions.ts';
import { durationMs } from '../model/units.ts';
import { endSessions } from '../reconcile/end-sessions.ts';
import { impactOf } from '../reconcile/impact.ts';
import { createMetrics } from '../metrics/create.ts';
import type { Loop } from '../reconcile/loop.ts';
import { createRegistry } from '../registry/create.ts';
import type { RegistryView } from '../registry/registry.ts';
import { emptyView } from '../registry/view.ts';
import { explain } from '../routing/explain.ts';
import { accessLogService } from '../telemetry/access-log.ts';
import { createAgentReports } from '../telemetry/agent-reports.ts';
import { createEndpointLoad } from '../telemetry/endpoint-load.ts';
import { loadReportService } from '../telemetry/load-reports.ts';
import { createSessionTable } from '../telemetry/sessions.ts';
import { createTranslator } from '../translate/create.ts';
import { startXdsServer } from '../xds/server.ts';
import { ENDPOINT } from '../xds/types.ts';
import { startAnalyst } from './analyst.ts';
import { createAdmission, type AdmissionParts } from './admission.ts';
import { apiContext } from './api-context.ts';
import { startAutoscaler } from './autoscaler.ts';
import { tellChanges } from './changes.ts';
import { createClosers, type Closers } from './closers.ts';
import { certifyGateway } from './gateway-certificates.ts';
import { createGatewayDrains } from './gateway-drain.ts';
import { createGatewayRestart } from './gateway-restart.ts';
import { createGatewayView } from './gateway-view.ts';
import { balancedAt, doorFor } from './gateway-settings.ts';
import { startGateway } from './gateway.ts';
import { feedHistory } from './history.ts';
import { createGatewayViews } from './gateway-views.ts';
import { watchDeadlyRequests } from './deadly-requests.ts';
import { startLoop } from './loop.ts';
import { followSignals } from './live-routing.ts';
import { metricsForApi, presentMetrics } from './metrics.ts';
import { createNews } from './news.ts';
import { choosePorts } from './ports.ts';
import { startOtlp } from './otlp.ts';
import { createRuntimes, lackingFrom } from './runtimes.ts';
import { startRebalancer } from './rebalancer.ts';
import { writeRuntimeFile } from './runtime-file.ts';
import { seed } from './seed.ts';
import { CONTROL_PLANE_CLUSTER, NODE_ID, SESSION_REPORT_MS } from './settings.ts';
import { allAt, keepJournal, keepSessionsFresh, placementOf, sessionsAtInstance } from './sessions.ts';
import { createSignals } from './signals.ts';
import { createStatus } from './status.ts';
import { systemTrust } from './system-trust.ts';
import { openStore } from './store.ts';

export interface ControlPlane {
  readonly system: SystemStatus;
  /** Ends the control plane; Envoy and the agents go on running. */
  close(): Promise<void>;
  /** Resolves when it was ended over the API. */
  readonly ended: Promise<void>;
}

/** `ownLog`: the last lines of `log`. */
export async function compose(config: Config, log: Log, ownLog: () => readonly string[]): Promise<ControlPlane> {
  const closers = createClosers();
  try {
    return await build(config, log, ownLog, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function build(
  config: Config,
  log: Log,
  ownLog: () => readonly string[],
  closers: Closers,
): Promise<ControlPlane> {
  const now = (): number => Date.now();
  const startedAt = new Date(now()).toISOString();
  const data = config.dataFolder;
  prepareFolder(data);
  const lock = lockFolder(data, ownIdentity(), isAlive);
  closers.add(() => {
    lock.release();
  });
  // At the first start it takes a third of a second, in a process of its own: other things are done meanwhile.
  const issuing = createKeeper({
    data,
    lifeMs: durationMs(config.certificates.life),
    gateways: [NODE_ID],
    now,
    log,
  });
  issuing.catch(() => undefined);
  const token = adminToken(data);
  const ports = await choosePorts(config);
  const binary = await findEnvoy({ environment: config.environment, path: config.envoy.path });
  const drivers = await loadDrivers(config);
  const store = await openStore(config, drivers, now);
  closers.add(store);

  const certificates = await issuing;
  closers.add(certificates);
  const peers = createPeers({ now, log });
  const awake = createAwakeClock(now);
  closers.add(awake);
  const metrics = createMetrics({ perInstance: config.metrics.perInstance, now });
  let registryView = (): RegistryView => emptyView;
  let missingOf: ReturnType<typeof lackingFrom> = () => [];
  // What is known of an instance's health, once somebody looks.
  let seen: Pick<Loop, 'unanswered' | 'unhealthyFor'> = { unanswered: () => false, unhealthyFor: () => undefined };
  let signalsOf: (instance: string) => LoadSignals | undefined = () => undefined;
  const feed = feedHistory({
    store,
    view: () => registryView(),
    sessions: () => sessions.likely(),
    signals: (instance) => signalsOf(instance),
    onRecord: metrics.record,
    now,
    log,
  });
  closers.add(feed.close);
  const sessions = createSessionTable({
    now: () => awake.elapsed(),
    wallClock: now,
    intervalMs: SESSION_REPORT_MS,
    describe: (seen) => placementOf(seen, registryView()),
    onBytes: feed.bytes,
  });
  sessions.watch(feed.session);
  const journal = keepJournal(data, sessions, log, closers);
  const load = createEndpointLoad({ now: () => performance.now() });
  const reports = createAgentReports({ now });
  // What it asks starts later; until then nobody is let in, and whoever waits is remembered.
  const late: { admission?: Omit<AdmissionParts, 'view' | 'sessions' | 'journal'> } = {};
  const admission = createAdmission({
    view: () => registryView(),
    sessions,
    journal,
    isAcked: (revision) => late.admission?.isAcked(revision) ?? false,
    isUnhealthy: (instance) => late.admission?.isUnhealthy(instance) ?? true,
    closed: (service) => late.admission?.closed(service),
    gatewayView: () => late.admission?.gatewayView(),
    onWait: (service) => late.admission?.onWait(service),
  });
  closers.add(admission);
  const deadly = watchDeadlyRequests(
    { view: () => registryView(), note: async (event, write) => registry.note(event, write), now, log },
    closers,
  );
  const xds = await startXdsServer({
    host: config.xds.host,
    port: ports.xds,
    log,
    now,
    measure: metrics.measure,
    credentials: serverCredentials(certificates, peers),
    ...doorFor(config),
    services: [
      accessLogService(sessions, {
        broke: deadly.broke,
        refused: feed.refused,
        ended: admission.arrived,
        unanswered: (upstream) => allAt(registryView(), upstream).some(({ id }) => seen.unanswered(id)),
      }),
      loadReportService(load, CONTROL_PLANE_CLUSTER),
      admission.service,
    ],
  });
  closers.add(xds);
  const revisions = createRevisionLog(now, (revision) => xds.timeline(revision));
  const registry = await createRegistry({
    store,
    now,
    wokeAt: () => awake.wokeAt(),
    log,
    events: { most: config.events.most, keepMs: durationMs(config.events.keep) },
    validate: (service) => drivers.validate(service),
    missing: (service) => missingOf(service),
    impactOf: (before, after) =>
      impactOf(before, after, {
        sessionsOf: sessionsAtInstance(sessions),
        unhealthyFor: (instance) => seen.unhealthyFor(instance),
        now: now(),
      }),
    onCommit: (commit) => {
      revisions.committed(commit);
    },
  });
  closers.add(registry);
  registryView = () => registry.view();
  await seed(config, registry, log);

  const runtimes = await createRuntimes(config, drivers, { now, log }, closers);
  const trust = systemTrust(config.environment);
  missingOf = lackingFrom(runtimes);
  const tokenOf = instanceTokens(data);
  const translator = createTranslator({
    gateway: { ...config.gateway, port: ports.gateway },
    controlPlaneCluster: CONTROL_PLANE_CLUSTER,
    sessionReportMs: SESSION_REPORT_MS,
    instanceToken: tokenOf,
    signals: (instance) => signalsOf(instance),
    systemTrust: trust,
    policies: drivers.policies,
  });
  const gatewayView = createGatewayView(now, (upstreams) => {
    for (const upstream of upstreams) for (const { id } of allAt(registry.view(), upstream)) loop.heard(id);
  });
  closers.add(gatewayView);
  const onChange = (): void => {
    loop.republish();
  };
  const rebalancer = startRebalancer({ registry, sessions, now, onChange }, closers);
  const { loop, problems, refresh, fleet } = await startLoop({
    registry,
    runtimes,
    drivers,
    translator,
    xds,
    revisions,
    sessions,
    onProbe: feed.probed,
    reports,
    gatewayView,
    rebalancer,
    dnsServers: config.dns.servers,
    systemTrust: trust,
    endSessions: async (chosen, reason) =>
      endSessions(chosen, { view: registry.view(), reason, dryRun: false, whyNotDestroy, destroy: destroySocket }),
    now,
    awake,
    log,
  });
  closers.add(loop);
  seen = loop;
  reports.subscribe((instance) => {
    loop.heard(instance);
  });
  const signals = createSignals({ registry, runtimes, loop, sessions, load, reports, now, log });
  closers.add(signals);
  closers.add(followSignals(sessions, refresh));

  signalsOf = (instance) => signals.of(instance);
  closers.add(startAnalyst({ registry, runtimes, drivers, history: feed.history, now, log }));
  const autoscaler = startAutoscaler({
    registry,
    signals,
    sessions,
    waiting: (service) => admission.waiting(service),
    now,
    log,
  });
  late.admission = {
    isAcked: (revision) => xds.report(revision).pending.length === 0,
    isUnhealthy: (instance) => !takesSessions(loop.health(instance)),
    closed: (service) => (xds.runs(ENDPOINT, service) ? translator.closed(service) : undefined),
    gatewayView: () => gatewayView,
    onWait: () => {
      autoscaler.look();
    },
  };
  closers.add(autoscaler);

  admission.restore();
  const news = createNews();
  const running = await startGateway({ config, binary, ports, xds, sessions, journal, registry, now, log });
  const { envoy: gateway, renewal } = running;
  closers.add(running.close);
  gatewayView.start(gateway);
  const isConnected = (node: string): boolean => xds.gateways().some((one) => one.node === node);
  const gatewayDrains = createGatewayDrains({ data, envoy: gateway, isConnected, now, log });
  tellChanges({ gateway, xds, registry, sessions, loop, admission, news });
  closers.add(
    keepSessionsFresh(sessions, journal, load, gateway, (upstream) => {
      for (const { id } of allAt(registry.view(), upstream)) loop.suspect(id);
    }),
  );

  const gateways = createGatewayViews({
    xds,
    peers,
    envoy: gateway,
    registry,
    problems,
    driftIntervalMs: durationMs(config.drift.interval),
    tell: news.tell,
    now,
    log,
  });
  closers.add(() => {
    gateways.drift.close();
  });
  const status = createStatus({ config, ports, startedAt, registry, gateway, renewal, xds, sessions, store });
  const ended = Promise.withResolvers<undefined>();
  const present = presentMetrics({
    metrics,
    startedAt,
    registry,
    gateways,
    sessions,
    certificates,
    peers,
    signals,
    isUnhealthy: (instance) => !takesSessions(loop.health(instance)),
    waiting: (service) => admission.waiting(service),
  });
  closers.add(startOtlp({ config, metrics, present, startedAt, instance: `${hostname()}:${ports.api}`, now, log }));
  const api = apiContext({
    data,
    token,
    registry,
    store,
    runtimes,
    loop,
    gateway,
    xds,
    revisions,
    sessions,
    signals,
    autoscaler,
    explain: (request) =>
      explain(request, {
        fleet: fleet(),
        policies: drivers.policies,
        signals: (instance) => signals.of(instance),
        weights: (service) => translator.weights(service),
        tokenOf,
      }),
    problems,
    reports,
    gatewayView,
    rebalancer,
    gatewayDrains,
    restartGateway: createGatewayRestart({ envoy: gateway, sessions, isConnected, now }),
    status,
    history: feed.history,
    news,
    now,
    log,
    plugins: drivers.list,
    ownLog,
    certificates,
    certifyGateway: async (request) => certifyGateway(certificates, config, ports.xds, request),
    gateways,
    metrics: metricsForApi({ config, token, metrics, present }),
    closeAll: closers.closeAll,
    ended: () => {
      ended.resolve(undefined);
    },
  });
  const server = await startApi({ host: config.api.host, port: ports.api, version: status.system().version, api });
  closers.add(server);
  status.apiListens(server.port);

  const system = status.system();
  writeRuntimeFile(data, system);
  const [proxyProtocol] = balancedAt(config).map(({ host, port }) => hostPort(host, port));
  const { url } = system.gateway;
  log.info(
    { gateway: url, proxyProtocol, api: system.api.url, data, envoy: binary.source },
    'the control plane answers',
  );
  return { system, close: closers.closeAll, ended: ended.promise };
}
