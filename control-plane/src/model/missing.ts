/** What is asked for by a name that nothing has. */
import { SwitchboardError } from './errors.ts';
import { similar } from './similar.ts';

/** `kind`: as people say it. `known`: the names there are; the nearest is offered. */
export function missing(kind: string, name: string, known: Iterable<string>): SwitchboardError {
  const meant = similar(name, known);
  return new SwitchboardError('not_found', `there is no ${kind} ${name}`, {
    ...(meant === undefined ? {} : { remedy: `Did you mean ${meant}?` }),
  });
}
