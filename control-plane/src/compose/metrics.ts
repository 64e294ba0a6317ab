/** The metrics as the API serves them: what the parts know at the time of a scrape, and who may read it. */
import type { ApiContext } from '../api/context.ts';
import type { Keeper } from '../certificates/keeper.ts';
import type { Peers } from '../certificates/peers.ts';
import type { Config } from '../config.ts';
import { sameToken } from '../home/token.ts';
import type { Metrics } from '../metrics/create.ts';
import type { Registry } from '../registry/registry.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { GatewayViews } from './gateway-views.ts';
import { sessionsAtInstance } from './sessions.ts';
import { VERSION } from './settings.ts';

export interface MetricsParts {
  readonly config: Config;
  /** The API's. */
  readonly token: string;
  readonly metrics: Metrics;
  readonly startedAt: string;
  readonly registry: Registry;
  readonly gateways: GatewayViews;
  readonly sessions: SessionTable;
  readonly certificates: Keeper;
  readonly peers: Peers;
}

export function metricsForApi(parts: MetricsParts): ApiContext['metrics'] {
  const { config, metrics, registry, gateways, sessions, certificates, peers } = parts;
  const accepted = [parts.token, ...(config.metrics.token === undefined ? [] : [config.metrics.token])];
  return {
    contentType: metrics.contentType,
    mayScrape: (given) =>
      config.metrics.public || (given !== undefined && accepted.some((token) => sameToken(given, token))),
    async scrape() {
      const view = registry.view();
      const sessionsAt = sessionsAtInstance(sessions);
      return metrics.scrape({
        version: VERSION,
        startedAt: Date.parse(parts.startedAt),
        revision: view.revision,
        gateways: gateways.list(),
        services: [...view.services.keys()],
        instances: [...view.instances.values()].map(({ value }) => ({
          service: value.service,
          state: value.state,
          sessions: sessionsAt(value),
        })),
        certificates: certificates.status(),
        refusedCalls: peers.refusals(),
      });
    },
    request: metrics.request,
  };
}
