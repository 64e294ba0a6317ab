/** What services need of each other to start: `dependsOn` may neither lead nowhere nor in a circle. Pure. */
import type { Issue } from '../model/errors.ts';
import type { ServiceDocument } from '../model/service.ts';
import type { RegistryView } from './registry.ts';

/** Issues by service, with paths from its document. `documents` stand in place of what the view has under their names. */
export function dependencyIssues(view: RegistryView, documents: readonly ServiceDocument[]): Map<string, Issue[]> {
  const wanted = new Map<string, readonly string[]>();
  for (const { value } of view.services.values()) wanted.set(value.name, value.spec.dependsOn ?? []);
  for (const { name, spec } of documents) wanted.set(name, spec.dependsOn ?? []);
  const found = new Map<string, Issue[]>();
  for (const { name, spec } of documents) {
    const issues = (spec.dependsOn ?? []).flatMap((target, index): Issue[] => {
      const path = `spec.dependsOn.${index}`;
      if (!wanted.has(target)) return [{ path, message: `there is no service ${target}` }];
      const way = wayBack(wanted, target, name);
      return way === undefined ? [] : [{ path, message: `leads in a circle: ${[name, ...way].join(' -> ')}` }];
    });
    if (issues.length > 0) found.set(name, issues);
  }
  return found;
}

/** From one service over what it needs to another; undefined: there is no way. */
function wayBack(wanted: ReadonlyMap<string, readonly string[]>, from: string, to: string): string[] | undefined {
  const seen = new Set<string>();
  const search = (at: string): string[] | undefined => {
    if (at === to) return [at];
    if (seen.has(at)) return undefined;
    seen.add(at);
    for (const next of wanted.get(at) ?? []) {
      const rest = search(next);
      if (rest !== undefined) return [at, ...rest];
    }
    return undefined;
  };
  return search(from);
}

/** Services that need this one to start. */
export function dependentsOf(view: RegistryView, name: string): string[] {
  return [...view.services.values()]
    .filter(({ value }) => value.spec.dependsOn?.includes(name) === true)
    .map(({ value }) => value.name)
    .sort();
}
