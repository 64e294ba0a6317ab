/** One type of one gateway: as sent, as Envoy has it, and what differs. */
import { SwitchboardError, messageOf } from '../model/errors.ts';
import type { GatewayConfig } from '../model/gateway.ts';
import type { TypeConfig } from '../xds/status.ts';
import { difference } from './difference.ts';
import { envoyConfig, type Admin, type EnvoyEntry } from './envoy-config.ts';
import { redact } from './redact.ts';
import { RESOURCE_TYPES, typeNamed, type ResourceType } from './resource-types.ts';
import { sentConfig } from './sent-config.ts';

/** Secrets that come from files are Envoy's own: they are never sent from here. */
const OWN_SECRETS = new Set(['identity', 'authority']);

async function ask(admin: Admin | undefined, type: ResourceType): Promise<EnvoyEntry[] | string> {
  if (admin === undefined) return 'its admin socket is on another machine';
  try {
    return await envoyConfig(admin, type);
  } catch (error) {
    return `its admin socket does not answer: ${messageOf(error)}`;
  }
}

/** `admin`: undefined for a gateway whose socket is not here. Error: `not_found` for an unknown type. */
export async function gatewayConfig(
  node: string,
  short: string,
  configs: readonly TypeConfig[],
  admin: Admin | undefined,
  name?: string,
): Promise<GatewayConfig> {
  const type = typeNamed(short);
  if (type === undefined)
    throw new SwitchboardError(
      'not_found',
      `there is no type ${short}: use one of ${RESOURCE_TYPES.map((one) => one.short).join(', ')}`,
    );
  const isWanted = (one: { readonly name: string }): boolean => name === undefined || one.name === name;
  const sent = sentConfig(configs, type).filter(isWanted);
  const answer = await ask(admin, type);
  const there = typeof answer === 'string' ? [] : answer.filter(isWanted);
  return {
    node,
    type: short,
    sent: sent.map(({ sync, resource }) => ({
      ...sync,
      ...(resource === undefined ? {} : { resource: redact(resource) }),
    })),
    envoy:
      typeof answer === 'string'
        ? { reachable: false, reason: answer }
        : {
            reachable: true,
            items: there.map(({ name: own, version, lastUpdated, warming, error, resource }) => ({
              name: own,
              version,
              lastUpdated,
              warming,
              ...(error === undefined ? {} : { error }),
              resource: redact(resource),
            })),
          },
    difference:
      typeof answer === 'string'
        ? null
        : difference(
            sent,
            there.filter((one) => short !== 'sds' || !OWN_SECRETS.has(one.name)),
          ),
  };
}
