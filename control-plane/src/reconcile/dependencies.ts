/** Which service an instance waits for before it is started. Asked for pending instances alone. */
import type { RegistryView } from '../registry/registry.ts';

/** A sentence without full stop and subject; undefined: nothing stands in the way. */
export type WaitsFor = (service: string) => string | undefined;

export function createWaitsFor(view: RegistryView): WaitsFor {
  let ready: Set<string> | undefined;
  return (service) => {
    const needed = view.services.get(service)?.value.spec.dependsOn ?? [];
    if (needed.length === 0) return undefined;
    ready ??= new Set(
      [...view.instances.values()]
        .filter(({ value }) => value.state === 'ready' && value.drain === undefined)
        .map(({ value }) => value.service),
    );
    for (const name of needed) {
      if (ready.has(name)) continue;
      const spec = view.services.get(name)?.value.spec;
      const why =
        spec === undefined
          ? ', which does not exist'
          : spec.enabled
            ? ' to have a ready instance'
            : ', which is stopped';
      return `waits for service ${name}${why}`;
    }
    return undefined;
  };
}
