/** Which instances are looked at, and how: from the registry's view. What did not change keeps its identity, which is how the monitor knows. */
import { gatewayCheckOf, type GatewayCheck } from '../model/gateway-check.ts';
import type { HealthRules } from '../model/health.ts';
import type { Instance } from '../model/instance.ts';
import type { Probe } from '../model/probe.ts';
import type { ServiceGateway, ServiceSpec } from '../model/service.ts';
import type { Version } from '../model/version.ts';
import type { RegistryView } from '../registry/registry.ts';
import type { ProbeTarget } from '../probes/probe.ts';
import type { NamedCheck } from './check-state.ts';
import type { HealthTarget } from './health.ts';

/** The gateway's check, and whether the service left it to us. */
export interface TargetGatewayCheck extends GatewayCheck {
  readonly isAuto: boolean;
}

const ofOlder = new WeakMap<Probe, WeakMap<Version, Probe>>();

/** The service's probe; of an instance of another version asks what that version answers to. Undefined: its service is gone, and so is its version. */
export function probeOf(view: RegistryView, { service, version: number }: Instance): Probe | undefined {
  const wanted = view.services.get(service)?.value;
  const probe = wanted?.spec.probe;
  if (wanted?.version === number) return probe;
  const version = view.versions.get(service)?.find((one) => one.number === number);
  if (probe === undefined || version === undefined) return probe ?? version?.probe;
  // The same object as long as nothing changes, by which callers know that.
  const known = ofOlder.get(probe) ?? new WeakMap<Version, Probe>();
  ofOlder.set(probe, known);
  const { type, options } = version.probe;
  const older = known.get(version) ?? { ...probe, type, options };
  known.set(version, older);
  return older;
}

const LOOKED_AT: ReadonlySet<Instance['state']> = new Set(['starting', 'ready', 'unknown']);
/** Nobody starts it again from here, so that it may be back at any moment. */
const isDownElsewhere = ({ runtime, state }: Instance): boolean => runtime === 'external' && state === 'failed';

/** As the gateway reaches it: by the same trust, with the same Host. `systemTrust`: a file of authorities. */
function wayTo(
  { hostname }: Instance,
  gateway: ServiceGateway | undefined,
  systemTrust: string | undefined,
): Pick<ProbeTarget, 'tls' | 'hostHeader'> {
  const tls = gateway?.tls;
  const serverName = tls?.serverName ?? hostname;
  return {
    ...(tls === undefined
      ? {}
      : {
          tls: {
            insecure: tls.insecure,
            ...(serverName === undefined ? {} : { serverName }),
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.ca !== undefined || systemTrust === undefined ? {} : { caFile: systemTrust }),
          },
        }),
    ...(gateway?.hostHeader === 'address' && hostname !== undefined ? { hostHeader: hostname } : {}),
  };
}

export function createHealthTargets(systemTrust: string | undefined): (view: RegistryView) => HealthTarget[] {
  const checksOf = new WeakMap<Probe, { rules: HealthRules | undefined; checks: readonly NamedCheck[] }>();
  const known = new WeakMap<Instance, { target: HealthTarget; gateway: ServiceGateway | undefined }>();

  function checks(probe: Probe, rules: HealthRules | undefined): readonly NamedCheck[] {
    const old = checksOf.get(probe);
    if (old !== undefined && old.rules === rules) return old.checks;
    const more = (rules?.checks ?? []).map(({ name, effect, ...own }): NamedCheck => ({ name, effect, probe: own }));
    const all: readonly NamedCheck[] = [{ name: 'probe', probe, effect: 'unhealthy' }, ...more];
    checksOf.set(probe, { rules, checks: all });
    return all;
  }

  const gatewayChecks = new WeakMap<ServiceSpec, TargetGatewayCheck>();
  function gatewayCheck(spec: ServiceSpec | undefined): TargetGatewayCheck | undefined {
    if (spec === undefined) return undefined;
    const { healthCheck } = spec.gateway;
    const found = gatewayChecks.get(spec) ?? {
      ...gatewayCheckOf(healthCheck, spec.probe),
      isAuto: healthCheck.type === 'auto',
    };
    gatewayChecks.set(spec, found);
    return found;
  }

  return (view) => {
    const targets: HealthTarget[] = [];
    for (const { value: instance } of view.instances.values()) {
      const probe = probeOf(view, instance);
      // One that is only drained for a while is looked at meanwhile.
      const kept = instance.drain?.then === 'keep' && instance.state === 'draining';
      const looked = LOOKED_AT.has(instance.state) || kept || isDownElsewhere(instance);
      if (!looked || probe === undefined || instance.address === undefined) continue;
      const spec = view.services.get(instance.service)?.value.spec;
      const { health: rules, gateway } = spec ?? {};
      const byGateway = gatewayCheck(spec);
      const wanted = checks(probe, rules);
      const useReports = rules?.report !== 'ignore';
      const old = known.get(instance);
      if (
        old?.gateway === gateway &&
        old?.target.checks === wanted &&
        old.target.useReports === useReports &&
        old.target.gatewayCheck === byGateway
      ) {
        targets.push(old.target);
        continue;
      }
      const process = instance.process === undefined ? {} : { process: instance.process };
      const target: HealthTarget = {
        id: instance.id,
        target: { ...instance.address, ...process, ...wayTo(instance, gateway, systemTrust) },
        checks: wanted,
        useReports,
        ...(byGateway === undefined ? {} : { gatewayCheck: byGateway }),
        starting: instance.state === 'starting' || instance.state === 'unknown',
      };
      known.set(instance, { target, gateway });
      targets.push(target);
    }
    return targets;
  };
}
