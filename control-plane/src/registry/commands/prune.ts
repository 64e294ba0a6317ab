/**
 * Pruning, after the model of kubectl's apply sets: what was applied with a set and is not among its documents any more is deleted in the same
 * commit. What was never applied with it is never touched.
 */
import type { CommandContext, Draft } from '../draft.ts';
import type { Route } from '../../model/route.ts';
import type { Service } from '../../model/service.ts';
import type { Held, RegistryView } from '../registry.ts';
import { withCommit } from '../view.ts';
import { apply, type Validate } from './apply.ts';
import { removeRoute, removeService } from './services.ts';

function take(into: Draft, from: Draft): void {
  into.changes.push(...from.changes);
  into.expect.push(...from.expect);
  into.report.push(...from.report);
  into.warnings.push(...from.warnings);
  into.events.push(...from.events);
}

/** Errors beside those of `apply` are those of the verb that deletes: `conflict` when something else needs it still. */
export function applyAndPrune(
  view: RegistryView,
  documents: readonly unknown[],
  context: CommandContext,
  validate: Validate,
): Draft {
  const draft = apply(view, documents, context, validate);
  const { set } = context.options;
  if (set?.prune === true) prune(view, set.name, context, draft);
  return draft;
}

/** `draft` has what is applied already. */
function prune(view: RegistryView, set: string, context: CommandContext, draft: Draft): void {
  const applied = new Set(draft.report.map(({ kind, name }) => `${kind}/${name}`));
  const gone = (held: Iterable<Held<Service | Route>>): string[] =>
    [...held]
      .map(({ value }) => value)
      .filter((value) => value.set === set && !applied.has(`${value.kind}/${value.name}`))
      .map(({ name }) => name)
      .sort();
  const { actor, requestId, note = `it is no longer in what the set ${set} is applied from` } = context.options;
  // A revision that was named is that of a document, not of what goes.
  const removal: CommandContext = {
    ...context,
    options: { actor, note, ...(requestId === undefined ? {} : { requestId }) },
  };
  /** As it will be: what is applied or deleted with this needs nothing any more, and what is left must find what it needs. */
  const after = (): RegistryView => withCommit(view, { revision: view.revision + 1, changes: draft.changes });
  for (const name of gone(view.routes.values())) take(draft, removeRoute(after(), name, removal));
  let left = gone(view.services.values());
  while (left.length > 0) {
    const present = after();
    // Who depends on another goes before it.
    const free = left.filter(
      (name) => !left.some((other) => present.services.get(other)?.value.spec.dependsOn?.includes(name)),
    );
    for (const name of free) take(draft, removeService(present, name, removal, false));
    left = left.filter((name) => !free.includes(name));
  }
}
