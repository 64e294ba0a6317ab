/** What the API may ask and do, in terms of the parts that answer. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApiContext } from '../api/context.ts';
import { createSignIns } from '../api/sign-ins.ts';
import type { Keeper } from '../certificates/keeper.ts';
import { placeOf } from '../model/address.ts';
import type { GatewayCertificate, GatewayCertificateRequest } from '../model/gateway.ts';
import { destroySocket, whyNotDestroy } from '../home/destroy-socket.ts';
import type { History } from '../history/create.ts';
import type { RevisionLog } from '../home/revisions.ts';
import { sameToken } from '../home/token.ts';
import { SwitchboardError } from '../model/errors.ts';
import type { Rebalancer } from '../reconcile/rebalance.ts';
import { endSessions } from '../reconcile/end-sessions.ts';
import type { Autoscaler } from '../reconcile/autoscaler.ts';
import type { Registry } from '../registry/registry.ts';
import { backupStore } from '../store/backup.ts';
import type { Store } from '../store/store.ts';
import type { AgentReports } from '../telemetry/agent-reports.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { XdsServer } from '../xds/server.ts';
import type { createGatewayRestart } from './gateway-restart.ts';
import type { GatewayDrains } from './gateway-drain.ts';
import type { GatewayViews } from './gateway-views.ts';
import { replayHistory } from './autoscaler.ts';
import type { GatewayView } from './gateway-view.ts';
import type { News } from './news.ts';
import { endEverything, type ShutdownParts } from './shutdown.ts';
import type { Signals } from './signals.ts';
import type { Status } from './status.ts';

export interface ApiParts extends ShutdownParts {
  readonly token: string;
  readonly registry: Registry;
  readonly store: Store;
  readonly xds: XdsServer;
  readonly revisions: RevisionLog;
  readonly sessions: SessionTable;
  readonly signals: Signals;
  readonly autoscaler: Autoscaler;
  readonly explain: ApiContext['explain'];
  readonly problems: ApiContext['problems'];
  readonly reports: AgentReports;
  readonly gatewayView: GatewayView;
  readonly rebalancer: Rebalancer;
  readonly gatewayDrains: GatewayDrains;
  readonly restartGateway: ReturnType<typeof createGatewayRestart>;
  readonly status: Status;
  readonly history: History;
  readonly news: News;
  readonly certificates: Keeper;
  readonly certifyGateway: (request: GatewayCertificateRequest) => Promise<GatewayCertificate>;
  readonly gateways: GatewayViews;
  readonly metrics: ApiContext['metrics'];
  readonly plugins: ApiContext['plugins'];
  readonly ownLog: ApiContext['ownLog'];
  readonly now: () => number;
  readonly ended: () => void;
}

const consoleFolder = fileURLToPath(new URL('../../../console/dist', import.meta.url));

export function apiContext(parts: ApiParts): ApiContext {
  const {
    data,
    token,
    registry,
    store,
    runtimes,
    loop,
    xds,
    revisions,
    sessions,
    signals,
    reports,
    status,
    history,
    news,
    now,
    log,
  } = parts;
  return {
    registry,
    history,
    log,
    now,
    authenticate: (given) => (sameToken(given, token) ? { actor: 'admin' } : undefined),
    signIns: createSignIns(now),
    system: () => status.system(),
    gatewayUrl: status.gatewayUrl,
    readiness: () => status.readiness(),
    health: (instance) => loop.health(instance),
    async restartGateway(node, deadlineMs, write) {
      const done = await parts.restartGateway(node, deadlineMs, write.dryRun === true);
      if (!done.dryRun)
        await registry.note(
          {
            action: 'gateway.restart',
            subject: { kind: 'Gateway', name: node },
            message: `process ${done.to ?? '?'} has taken over from ${done.from ?? '?'}, which had ${done.sessions} sessions open${done.until === null ? '' : ` and may serve them until ${done.until}`}`,
          },
          write,
        );
      return done;
    },
    gatewayDrains: {
      list: () => parts.gatewayDrains.list(),
      async set(node, reason, write) {
        const drains = await parts.gatewayDrains.set(node, reason, write.dryRun === true);
        if (write.dryRun === true) return drains;
        await registry.note(
          {
            action: reason === undefined ? 'gateway.undrain' : 'gateway.drain',
            subject: { kind: 'Gateway', name: node },
            message:
              reason === undefined
                ? `the drain of gateway ${node} was cancelled`
                : `gateway ${node} takes no new connections: ${reason}`,
          },
          write,
        );
        return drains;
      },
    },
    balance: (service) => parts.rebalancer.balance(service),
    rebalance: (service, request) => parts.rebalancer.rebalance(service, request),
    healthDetail: (instance) => loop.healthDetail(instance),
    checkNow: async (instance) => {
      await parts.gatewayView.refresh();
      return loop.checkNow(instance);
    },
    signals: (instance) => signals.of(instance),
    explain: parts.explain,
    problems: parts.problems,
    reportLoad: (instance, report) => reports.put(instance, report),
    sessions: () => sessions.list(),
    sessionCounts: () => sessions.counts(),
    metrics: parts.metrics,
    plugins: parts.plugins,
    ownLog: parts.ownLog,
    gateways: () => parts.gateways.list(),
    gatewayConfig: async (node, type, name) => parts.gateways.config(node, type, name),
    lookForDrift: async (node) => parts.gateways.lookForDrift(node),
    conditions: () => parts.gateways.conditions(),
    replayScale: (service, policy, range) => replayHistory(parts.history, service, policy, range),
    scaleDecisions: (service) => parts.autoscaler.decisions(service),
    certificates: {
      list: () => parts.certificates.status(),
      async certify(request, write) {
        const made = await parts.certifyGateway(request);
        const subject = { kind: 'Gateway', name: request.gateway };
        const { notAfter } = made.status;
        const message = `a certificate for ${request.gateway} was issued, valid until ${notAfter}`;
        await registry.note({ action: 'certificates.issue', subject, message }, write);
        return made;
      },
      async revoke(gateway, write) {
        await parts.certificates.revoke(gateway);
        const subject = { kind: 'Gateway', name: gateway };
        const message = `the certificates of ${gateway} were revoked`;
        await registry.note({ action: 'certificates.revoke', subject, message }, write);
      },
      async rotate(gateway, write) {
        await parts.certificates.rotate(gateway);
        await registry.note(
          {
            action: 'certificates.rotate',
            subject: { kind: 'Gateway', name: gateway ?? 'all' },
            message:
              gateway === undefined ? 'all certificates were renewed' : `the certificate of ${gateway} was renewed`,
          },
          write,
        );
      },
    },
    session: (id) => sessions.get(id),
    endedSessions: () => sessions.ended(),
    watchSessions: (listener) => sessions.watch(listener),
    endSessions: async (chosen, { reason, dryRun }) =>
      endSessions(chosen, { view: registry.view(), reason, dryRun, whyNotDestroy, destroy: destroySocket }),
    whenAcked: async (revision, timeoutMs, signal) => xds.whenAcked(revision, timeoutMs, signal),
    revision: (revision) => revisions.find(revision),
    async *logs(instance, options) {
      const held = registry.view().instances.get(instance)?.value;
      const runtime = runtimes.get(held?.runtime ?? '');
      if (runtime === undefined)
        throw new SwitchboardError('unsupported', `${instance} was not started by Switchboard: its log is not here`, {
          remedy: `Look where it runs, at ${placeOf(held ?? {})}.`,
        });
      yield* runtime.logs(instance, options);
    },
    subscribe: (listener) => news.subscribe(listener),
    async backup() {
      const path = join(data, `backup-${process.pid}-${now()}.db`);
      await backupStore(store, path);
      return {
        path,
        remove: async () => {
          rmSync(path, { force: true });
        },
      };
    },
    async shutdown({ drainMs }) {
      void endEverything(parts, drainMs).then(parts.ended);
    },
    consoleFolder: existsSync(join(consoleFolder, 'index.html')) ? consoleFolder : undefined,
  };
}
