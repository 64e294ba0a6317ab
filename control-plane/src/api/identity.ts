import { SwitchboardError } from '../model/errors.ts';
import type { Call } from './endpoint.ts';

/** A document whose kind and name may be left out, since the path names them; what is given must agree. */
export function withIdentity(call: Call, kind: string): object {
  const document = call.body as { kind?: unknown; name?: unknown };
  const name = call.param('name');
  if (document.kind !== undefined && document.kind !== kind)
    throw new SwitchboardError('invalid', `kind must be ${kind}`, {
      issues: [{ path: 'kind', message: `must be ${kind} here` }],
    });
  if (document.name !== undefined && document.name !== name)
    throw new SwitchboardError('invalid', `name must be ${name}, as in the path`, {
      issues: [{ path: 'name', message: `must be ${name}, as in the path` }],
    });
  return { ...document, kind, name };
}
