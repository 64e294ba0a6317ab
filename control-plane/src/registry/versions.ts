/** When a service's change makes a new Version: whenever what an instance runs, or how it is judged to run, differs. */
import type { ServiceDocument, ServiceSpec } from '../model/service.ts';
import type { Version } from '../model/version.ts';
import { canonical } from './diff.ts';
import type { CommandContext } from './draft.ts';
import type { RegistryView } from './registry.ts';

export function currentVersion(view: RegistryView, service: string): Version | undefined {
  const number = view.services.get(service)?.value.version;
  return view.versions.get(service)?.find((version) => version.number === number);
}

export function runsTheSame(version: Version, spec: ServiceSpec): boolean {
  return (
    canonical([version.runtime, version.launch ?? null, version.probe]) ===
    canonical([spec.runtime, spec.launch ?? null, spec.probe])
  );
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
