/** What is asked for by a name that nothing has. */
import { SwitchboardError } from './errors.ts';
import { offer } from './similar.ts';

/** `kind`: as people say it. `known`: the names there are; the nearest is offered. */
export function missing(kind: string, name: string, known: Iterable<string>): SwitchboardError {
  return new SwitchboardError('not_found', `there is no ${kind} ${name}`, offer(name, known));
}
