/**
 * The concrete drivers of every port, built-in and from the settings' plugins, and what only they know: whether a service's options are right.
 */
import { z } from 'zod';
import { metricDrivers } from './analysis/drivers.ts';
import type { Measure, Metric } from './analysis/metric.ts';
import type { Config } from './config.ts';
import { SwitchboardError, type Issue } from './model/errors.ts';
import { stopCommandOf } from './model/hooks.ts';
import { issuesOf } from './model/parse.ts';
import { PLUGIN_KINDS, type PluginKind } from './model/plugin.ts';
import type { PluginInfo } from './api/types.ts';
import type { Probe } from './model/probe.ts';
import type { Check } from './model/rollout.ts';
import type { ServiceDocument } from './model/service.ts';
import { byName, loadPlugins, type Descriptor, type PluginLists } from './plugins.ts';
import { probeDrivers } from './probes/drivers.ts';
import type { HealthProbe, ProbeDriver, ProbeLevel } from './probes/probe.ts';
import { routingPolicies } from './routing/policies.ts';
import type { RoutingPolicy } from './routing/policy.ts';
import { runtimeDrivers } from './runtime/drivers.ts';
import type { RuntimeDriver } from './runtime/runtime.ts';
import { scheduleIssues } from './scaling/floors.ts';
import { storeDrivers } from './store/drivers.ts';
import type { StoreDriver } from './store/store.ts';

export interface Drivers {
  readonly policies: ReadonlyMap<string, RoutingPolicy<never>>;
  readonly runtimes: ReadonlyMap<string, RuntimeDriver<never>>;
  /** All that a service or the settings can name, by kind and name. */
  readonly list: readonly PluginInfo[];
  /** Error: `invalid` for an unknown name. */
  store(name: string): StoreDriver<never>;
  createProbe(probe: Probe): HealthProbe;
  createMeasure(check: Check): Measure;
  /** The highest level that a probe of this type proves. */
  probeLevel(type: string): ProbeLevel;
  /** Issues of a service's options, with paths from the document. */
  validate(service: ServiceDocument): Issue[];
}

function optionIssues(driver: Descriptor, value: unknown, path: string): Issue[] {
  const result = driver.options.safeParse(value);
  return result.success ? [] : issuesOf(result.error, path);
}

function unknownName(path: string, kind: string, name: string, known: Iterable<string>): Issue {
  return { path, message: `there is no ${kind} ${name}: use one of ${[...known].join(', ')}` };
}

/** `loaded`: what each of the modules brought, in the order of their names. */
function listOf(
  known: Readonly<Record<PluginKind, ReadonlyMap<string, Descriptor>>>,
  modules: readonly string[],
  loaded: readonly PluginLists[],
): PluginInfo[] {
  return PLUGIN_KINDS.flatMap((kind) =>
    [...known[kind].values()].map((driver) => ({
      kind,
      name: driver.name,
      about: driver.about ?? null,
      from: modules[loaded.findIndex((lists) => lists[kind]?.includes(driver) === true)] ?? null,
      options: z.toJSONSchema(driver.options, { io: 'input', unrepresentable: 'any' }),
    })),
  );
}

export async function loadDrivers(config: Config): Promise<Drivers> {
  const loaded = await loadPlugins(config.plugins, config.baseFolder);
  const probes: ReadonlyMap<string, ProbeDriver<never>> = byName('probes', probeDrivers, loaded);
  const policies = byName('policies', routingPolicies, loaded);
  const stores = byName('stores', storeDrivers, loaded);
  const runtimes = byName('runtimes', runtimeDrivers, loaded);
  const metrics: ReadonlyMap<string, Metric<never>> = byName('metrics', metricDrivers, loaded);
  return {
    policies,
    runtimes,
    list: listOf({ probes, policies, runtimes, stores, metrics }, config.plugins, loaded),
    store(name) {
      const driver = stores.get(name);
      if (driver === undefined)
        throw new SwitchboardError(
          'invalid',
          `store.type: there is no store ${name}: use one of ${[...stores.keys()].join(', ')}`,
        );
      return driver;
    },
    createProbe(probe) {
      const driver = probes.get(probe.type);
      // A plugin that was taken out of the settings: what it probed is not known to be well.
      if (driver === undefined)
        return async () => ({ ok: false, latencyMs: 0, reason: `there is no probe ${probe.type}` });
      return driver.create(driver.options.parse(probe.options));
    },
    createMeasure(check) {
      const driver = metrics.get(check.metric);
      if (driver === undefined)
        return async () => ({ verdict: 'inconclusive', message: `there is no metric ${check.metric}` });
      return driver.create(driver.options.parse(check.options));
    },
    probeLevel: (type) => probes.get(type)?.level ?? 'application',
    validate({ spec }) {
      const issues: Issue[] = [];
      const probe = probes.get(spec.probe.type);
      if (probe === undefined) issues.push(unknownName('spec.probe.type', 'probe', spec.probe.type, probes.keys()));
      else issues.push(...optionIssues(probe, spec.probe.options, 'spec.probe.options'));
      const names = new Set(['probe']);
      for (const [index, check] of (spec.health?.checks ?? []).entries()) {
        const path = `spec.health.checks.${index}`;
        const driver = probes.get(check.type);
        if (driver === undefined) issues.push(unknownName(`${path}.type`, 'probe', check.type, probes.keys()));
        else issues.push(...optionIssues(driver, check.options, `${path}.options`));
        if (names.has(check.name)) issues.push({ path: `${path}.name`, message: `${check.name} stands twice` });
        names.add(check.name);
      }
      const policy = policies.get(spec.gateway.policy.type);
      if (policy === undefined)
        issues.push(
          unknownName('spec.gateway.policy.type', 'routing policy', spec.gateway.policy.type, policies.keys()),
        );
      else issues.push(...optionIssues(policy, spec.gateway.policy.options, 'spec.gateway.policy.options'));
      const runtime = runtimes.get(spec.runtime);
      if (runtime !== undefined) issues.push(...runtime.check(spec));
      else if (spec.runtime !== 'external')
        issues.push(unknownName('spec.runtime', 'runtime', spec.runtime, ['external', ...runtimes.keys()]));
      else if (stopCommandOf(spec.hooks).length > 0)
        issues.push({
          path: 'spec.hooks.stop.command',
          message: 'needs runtime process: what runs elsewhere is not stopped from here',
        });
      if (spec.autoscale !== undefined)
        issues.push(
          ...scheduleIssues(spec.autoscale).map(({ path, message }) => ({ path: `spec.autoscale.${path}`, message })),
        );
      const { rollout } = spec;
      const checks = 'analysis' in rollout ? (rollout.analysis?.checks ?? []) : [];
      for (const [index, check] of checks.entries()) {
        const path = `spec.rollout.analysis.checks.${index}`;
        const metric = metrics.get(check.metric);
        if (metric === undefined) issues.push(unknownName(`${path}.metric`, 'metric', check.metric, metrics.keys()));
        else issues.push(...optionIssues(metric, check.options, `${path}.options`));
      }
      return issues;
    },
  };
}
