/** What an autoscaler wants of its service, kept apart from the spec. */
import type { Scale } from '../../model/autoscale.ts';
import { addEvent, newDraft, type CommandContext, type Draft } from '../draft.ts';
import { put, scaleKey } from '../keys.ts';
import type { RegistryView } from '../registry.ts';
import { wantedOf } from '../wanted.ts';

export function writeScale(
  view: RegistryView,
  name: string,
  wish: Pick<Scale, 'replicas' | 'reason' | 'message'>,
  context: CommandContext,
): Draft {
  const draft = newDraft();
  const service = view.services.get(name)?.value;
  // It was deleted, or is no longer autoscaled, since this was decided.
  if (service?.spec.autoscale === undefined) return draft;
  const before = wantedOf(view, service);
  const scale: Scale = { kind: 'Scale', service: name, ...wish, since: new Date(context.now()).toISOString() };
  draft.expect.push({ key: scaleKey(name), revision: view.scales.get(name)?.revision ?? 0 });
  draft.changes.push(put(scaleKey(name), scale));
  addEvent(draft, context, {
    action: 'service.autoscale',
    subject: { kind: 'Service', name },
    message: `service ${name} is scaled from ${before} to ${wish.replicas} instances (${wish.reason}): ${wish.message}`,
    before: { replicas: before },
    after: { replicas: wish.replicas },
  });
  return draft;
}
