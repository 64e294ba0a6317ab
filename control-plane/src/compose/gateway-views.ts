/** The gateways as operators see them: what xds/ knows, what Envoy itself tells, and what of it speaks against which service or route. */
import type { NewEvent } from '../model/event.ts';
import type { ConditionReason } from '../model/reasons.ts';
import type { EnvoySupervisor } from '@switchboard/envoy';
import type { GatewayView } from '../api/types.ts';
import type { Peers } from '../certificates/peers.ts';
import { gatewayConfig } from '../gateways/config-view.ts';
import type { Admin } from '../gateways/envoy-config.ts';
import { gatewayCondition, refusalConditions, refusalsOf, type RefusedBy } from '../gateways/refusals.ts';
import { createDriftWatch, type DriftWatch } from '../gateways/watch-drift.ts';
import type { Log } from '../log.ts';
import { SwitchboardError } from '../model/errors.ts';
import type { DriftReport, GatewayConfig } from '../model/gateway.ts';
import type { Condition } from '../model/meta.ts';
import type { Registry } from '../registry/registry.ts';
import type { Problem } from '../translate/options.ts';
import { ownerOf } from '../translate/owners.ts';
import type { XdsServer } from '../xds/server.ts';
import { NODE_ID } from './settings.ts';

export interface GatewayViewParts {
  readonly xds: XdsServer;
  readonly peers: Peers;
  readonly envoy: EnvoySupervisor;
  readonly registry: Registry;
  readonly problems: () => readonly Problem[];
  readonly driftIntervalMs: number;
  readonly tell: () => void;
  readonly now: () => number;
  readonly log: Log;
}

export type ConditionsOf = (kind: 'Service' | 'Route', name: string) => Condition[];

export interface GatewayViews {
  list(): GatewayView[];
  /** Errors: `not_found` for a gateway that is not connected, or an unknown type. */
  config(node: string, type: string, name?: string): Promise<GatewayConfig>;
  /** Of services and routes, as they are now. */
  conditions(): ConditionsOf;
  /** Error: `not_found`. */
  lookForDrift(node: string): Promise<DriftReport>;
  readonly drift: DriftWatch;
}

export function createGatewayViews(parts: GatewayViewParts): GatewayViews {
  const { xds, peers, envoy, registry, problems, now, log, tell } = parts;
  /** Since when a problem of the translation is known, by what it says. */
  let problemSince = new Map<string, string>();

  const adminOf = (node: string): Admin | undefined =>
    node === NODE_ID ? async (path) => envoy.admin(path) : undefined;

  function noteDrift(node: string, condition: Condition | undefined): void {
    if (condition === undefined) log.info({ gateway: node }, 'a gateway has what the registry wants again');
    else log.warn({ gateway: node, drift: condition.message }, 'a gateway differs from the registry');
    tell();
    const event: NewEvent = {
      action: condition === undefined ? 'gateway.drift-over' : 'gateway.drift',
      subject: { kind: 'Gateway', name: node },
      message:
        condition === undefined ? `${node} has what the registry wants again` : `${node} differs: ${condition.message}`,
    };
    registry.note(event, { actor: 'controller' }).catch((error: unknown) => {
      log.warn({ error }, 'an event could not be written');
    });
  }

  const drift = createDriftWatch({
    intervalMs: parts.driftIntervalMs,
    now,
    gateways: () => xds.gateways(),
    config: (node) => xds.config(node),
    adminOf,
    changed: noteDrift,
  });

  function refusedBy(): (RefusedBy & { readonly sync: ReturnType<XdsServer['gateways']>[number] })[] {
    const routes = registry.view().routes;
    return xds.gateways().map((sync) => ({
      node: sync.node,
      sync,
      refusals: refusalsOf(
        sync,
        () => xds.config(sync.node),
        (type, name, message) => ownerOf(type, name, message, routes.keys()) ?? null,
      ),
    }));
  }

  /** An instance's problem speaks against nothing here: the instance says it itself. */
  function problemConditions(): { kind: string; name: string; condition: Condition }[] {
    const known = new Map<string, string>();
    const found = problems().map(({ kind, name, message }) => {
      const key = `${kind}/${name} ${message}`;
      const since = problemSince.get(key) ?? new Date(now()).toISOString();
      known.set(key, since);
      const condition = {
        type: 'Accepted',
        status: 'false',
        reason: 'CannotBeServed' satisfies ConditionReason,
        message,
        since,
      } satisfies Condition;
      return { kind, name, condition };
    });
    problemSince = known;
    return found;
  }

  return {
    list: () =>
      refusedBy().map(({ sync, ...refused }) => ({
        ...sync,
        certificate: peers.of(sync.node) ?? null,
        refusals: refused.refusals,
        conditions: [...gatewayCondition(refused, sync, new Date(now()).toISOString()), ...drift.conditions(sync.node)],
        drift: drift.report(sync.node) ?? null,
      })),
    async config(node, type, name) {
      const configs = xds.config(node);
      if (configs === undefined) throw new SwitchboardError('not_found', `no gateway ${node} is connected`);
      return gatewayConfig(node, type, configs, adminOf(node), name);
    },
    conditions() {
      const refused = refusedBy();
      const own = problemConditions();
      return (kind, name) => [
        ...own.filter((one) => one.kind === kind && one.name === name).map((one) => one.condition),
        ...refusalConditions(refused, kind, name),
      ];
    },
    async lookForDrift(node) {
      const report = await drift.look(node);
      if (report === undefined) throw new SwitchboardError('not_found', `no gateway ${node} is connected`);
      return report;
    },
    drift,
  };
}
