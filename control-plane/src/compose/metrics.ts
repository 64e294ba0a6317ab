/** The metrics joined to those who know what they tell, and as the API serves them. */
import type { ApiContext } from '../api/context.ts';
import { sessionsOf } from '../api/views.ts';
import type { Keeper } from '../certificates/keeper.ts';
import type { Peers } from '../certificates/peers.ts';
import type { Config } from '../config.ts';
import { sameToken } from '../home/token.ts';
import type { Metrics } from '../metrics/create.ts';
import type { Present } from '../metrics/present.ts';
import type { Registry } from '../registry/registry.ts';
import { wantedOf } from '../registry/wanted.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { GatewayViews } from './gateway-views.ts';
import { VERSION } from '../model/release.ts';
import { NODE_ID } from './settings.ts';
import type { Signals } from './signals.ts';

export interface PresentParts {
  readonly metrics: Metrics;
  readonly startedAt: string;
  readonly registry: Registry;
  readonly gateways: GatewayViews;
  readonly sessions: SessionTable;
  readonly certificates: Keeper;
  readonly peers: Peers;
  readonly signals: Signals;
  readonly isUnhealthy: (instance: string) => boolean;
  /** Clients of the service that are held. */
  readonly waiting: (service: string) => number;
}

/** What the parts know at the time that it is called. */
export function presentMetrics(parts: PresentParts): () => Present {
  const { metrics, registry, gateways, sessions, certificates, peers, signals, isUnhealthy, waiting } = parts;
  return () => {
    const view = registry.view();
    const counts = sessions.counts();
    const connected = gateways.list();
    const nodes = new Set(connected.map(({ node }) => node));
    return {
      version: VERSION,
      startedAt: Date.parse(parts.startedAt),
      revision: view.revision,
      gateways: connected,
      lostGateways: [...new Set([NODE_ID, ...metrics.seenGateways()])].filter((node) => !nodes.has(node)),
      services: [...view.services.values()].map(({ value: service }) => ({
        name: service.name,
        wanted: wantedOf(view, service),
        waiting: waiting(service.name),
        sessionsPerInstance: service.spec.gateway.limits?.sessionsPerInstance,
        autoscale: service.spec.autoscale,
        rollout: view.rollouts.get(service.name)?.value,
      })),
      instances: [...view.instances.values()].map(({ value }) => {
        const up = value.state === 'ready';
        const unhealthy = up && isUnhealthy(value.id);
        const used = signals.of(value.id);
        return {
          id: value.id,
          service: value.service,
          state: value.state,
          ready: up && !unhealthy && value.drain === undefined,
          unhealthy,
          sessions: sessionsOf(value, counts),
          cpuCores: used?.cpuCores,
          memoryBytes: used?.memoryBytes,
        };
      }),
      certificates: certificates.status(),
      refusedCalls: peers.refusals(),
    };
  };
}

export interface MetricsParts {
  readonly config: Config;
  /** The API's. */
  readonly token: string;
  readonly metrics: Metrics;
  readonly present: () => Present;
}

export function metricsForApi({ config, token, metrics, present }: MetricsParts): ApiContext['metrics'] {
  const accepted = [token, ...(config.metrics.token === undefined ? [] : [config.metrics.token])];
  return {
    contentType: metrics.contentType,
    mayScrape: (given) =>
      config.metrics.public || (given !== undefined && accepted.some((known) => sameToken(given, known))),
    scrape: async () => metrics.scrape(present()),
    request: metrics.request,
  };
}
