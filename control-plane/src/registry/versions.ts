/**
 * When a service's change makes a new Version: whenever what an instance runs differs, and for nothing else. How it is looked at is tuned on
 * running instances: a version's `probe` is what its service had last while it was the wanted one.
 */
import type { Service, ServiceDocument, ServiceSpec } from '../model/service.ts';
import type { Version } from '../model/version.ts';
import { canonical } from './diff.ts';
import type { CommandContext } from './draft.ts';
import type { RegistryView } from './registry.ts';

/** A version of the service that runs just this; of several the wanted one, else the newest. */
export function versionThatRuns(
  view: RegistryView,
  { name, version }: Service,
  spec: ServiceSpec,
): Version | undefined {
  const same = view.versions.get(name)?.filter((one) => runsTheSame(one, spec));
  return same?.find(({ number }) => number === version) ?? same?.at(-1);
}

function runsTheSame(version: Version, spec: ServiceSpec): boolean {
  return canonical([version.runtime, version.launch ?? null]) === canonical([spec.runtime, spec.launch ?? null]);
}

/** Numbers are never used twice, also when the service was deleted while old instances are still draining. */
export function makeVersion(
  view: RegistryView,
  service: ServiceDocument,
  context: CommandContext,
  now: string,
): Version {
  const { name, spec } = service;
  const known = (view.versions.get(name) ?? []).map((version) => version.number);
  const running = [...view.instances.values()]
    .filter(({ value }) => value.service === name)
    .map(({ value }) => value.version);
  return {
    kind: 'Version',
    service: name,
    number: Math.max(0, ...known, ...running) + 1,
    runtime: spec.runtime,
    launch: spec.launch,
    probe: spec.probe,
    note: context.options.note ?? '',
    author: context.options.actor,
    createdAt: now,
  };
}

/** Versions of a service that are kept beside those in use and those pinned. */
const HISTORY = 20;

/** The oldest versions beyond the history that nothing runs, nothing goes back to and nobody pinned. */
export function forgotten(view: RegistryView, service: string): Version[] {
  const versions = view.versions.get(service) ?? [];
  const rollout = view.rollouts.get(service)?.value;
  const used = new Set<number | undefined>([
    view.services.get(service)?.value.version,
    rollout?.from,
    rollout?.to,
    ...[...view.instances.values()].filter(({ value }) => value.service === service).map(({ value }) => value.version),
  ]);
  const free = versions.filter((version) => version.pinned !== true && !used.has(version.number));
  return free.slice(0, Math.max(0, versions.length + 1 - HISTORY));
}
