/** Pinning: what keeps a version in the history. */
import { SwitchboardError } from '../../model/errors.ts';
import { addEvent, newDraft, type CommandContext, type Draft } from '../draft.ts';
import { put, versionKey } from '../keys.ts';
import type { RegistryView } from '../registry.ts';

export function pinVersion(
  view: RegistryView,
  service: string,
  number: number,
  pinned: boolean,
  context: CommandContext,
): Draft {
  const draft = newDraft();
  const version = view.versions.get(service)?.find((one) => one.number === number);
  if (version === undefined)
    throw new SwitchboardError('not_found', `there is no version ${number} of a service ${service}`);
  const name = `${service}/${number}`;
  if ((version.pinned ?? false) === pinned) {
    draft.report.push({ kind: 'Version', name, action: 'unchanged', diff: [] });
    return draft;
  }
  draft.changes.push(put(versionKey(service, number), { ...version, pinned }));
  draft.report.push({
    kind: 'Version',
    name,
    action: 'updated',
    diff: [{ path: 'pinned', before: version.pinned ?? false, after: pinned }],
  });
  addEvent(draft, context, {
    action: pinned ? 'version.pin' : 'version.unpin',
    subject: { kind: 'Version', name, service },
    message: `version ${number} of ${service} is ${pinned ? 'kept until it is unpinned' : 'no longer pinned'}`,
  });
  return draft;
}
