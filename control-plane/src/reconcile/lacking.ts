/** What keeps an instance from being started, known before it is tried: what its launch needs and is not there. */
import type { Instance } from '../model/instance.ts';
import type { RegistryView } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** A sentence without full stop; undefined: nothing is known to be missing. */
export function lackOf(
  view: RegistryView,
  { service, version, runtime }: Instance,
  runtimes: ReadonlyMap<string, Runtime>,
): string | undefined {
  const launch = view.versions.get(service)?.find(({ number }) => number === version)?.launch;
  const missing = launch === undefined ? [] : (runtimes.get(runtime)?.missing?.(launch) ?? []);
  return missing.length === 0 ? undefined : missing.map(({ path, message }) => `${path}: ${message}`).join('; ');
}
