/** What Envoys refuse, as facts about the gateway and about what the refused resource comes from. Cleared by what Envoy accepts. */
import type { ConditionReason } from '../model/reasons.ts';
import type { Refusal } from '../model/gateway.ts';
import type { Condition } from '../model/meta.ts';
import type { GatewaySync, TypeConfig } from '../xds/status.ts';

export type OwnerOf = (type: string, name: string, message: string) => Refusal['owner'];

/** `config` is asked only where a type is refused: it lists every resource. */
export function refusalsOf(
  gateway: GatewaySync,
  config: () => readonly TypeConfig[] | undefined,
  ownerOf: OwnerOf,
): Refusal[] {
  if (!Object.values(gateway.types).some(({ state }) => state === 'ERROR')) return [];
  return (config() ?? []).flatMap(({ type, short, resources }) =>
    resources.flatMap(({ name, nack }) =>
      nack === undefined
        ? []
        : [{ type: short, name, message: nack.message, since: nack.at, owner: ownerOf(type, name, nack.message) }],
    ),
  );
}

export interface RefusedBy {
  readonly node: string;
  readonly refusals: readonly Refusal[];
}

/** Conditions of one service or route; empty: every gateway takes what it brings. */
export function refusalConditions(all: readonly RefusedBy[], kind: 'Service' | 'Route', name: string): Condition[] {
  return all.flatMap(({ node, refusals }) => {
    const own = refusals.filter(({ owner }) => owner?.kind === kind && owner.name === name);
    const [first] = own;
    if (first === undefined) return [];
    return [
      {
        type: 'Accepted',
        status: 'false',
        reason: 'RefusedByGateway' satisfies ConditionReason,
        message: `${node} refuses it and goes on with its last good form: ${own.map((one) => `${one.type}: ${one.message}`).join('; ')}`,
        since: own.reduce((oldest, { since }) => (since < oldest ? since : oldest), first.since),
      } satisfies Condition,
    ];
  });
}

/** Of the gateway itself. */
export function gatewayCondition({ node, refusals }: RefusedBy, { behind }: GatewaySync, at: string): Condition[] {
  const [first] = refusals;
  if (first !== undefined)
    return [
      {
        type: 'InSync',
        status: 'false',
        reason: 'Refused' satisfies ConditionReason,
        message: `${node} refuses ${refusals.map((one) => `${one.type} ${one.name}: ${one.message}`).join('; ')}`,
        since: refusals.reduce((oldest, { since }) => (since < oldest ? since : oldest), first.since),
      },
    ];
  if (behind.length > 0)
    return [
      {
        type: 'InSync',
        status: 'false',
        reason: 'Behind' satisfies ConditionReason,
        message: behind.join('; '),
        since: at,
      },
    ];
  return [];
}
