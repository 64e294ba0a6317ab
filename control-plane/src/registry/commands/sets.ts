/** Which set a resource belongs to once it is applied. */
import { SwitchboardError } from '../../model/errors.ts';
import type { CommandContext } from '../draft.ts';

/** Without a set in the request it stays in the one that it is in. Error: `conflict` when it is in another. */
export function setOf(
  { kind, name }: { readonly kind: string; readonly name: string },
  present: { readonly set?: string } | undefined,
  context: CommandContext,
): string | undefined {
  const wanted = context.options.set;
  if (wanted === undefined) return present?.set;
  if (present?.set !== undefined && present.set !== wanted.name && !wanted.takeOver)
    throw new SwitchboardError(
      'conflict',
      `${kind.toLowerCase()} ${name} belongs to the set ${present.set}, not ${wanted.name}`,
      { remedy: `Take it out of one of the two sources, or move it into ${wanted.name} with takeOver (--take-over).` },
    );
  return wanted.name;
}
