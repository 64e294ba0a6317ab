/** Undo: an earlier version is the wanted one again. It takes over in one step, since it has served before. */
import { SwitchboardError } from '../../model/errors.ts';
import { missing } from '../../model/missing.ts';
import { parseAs } from '../../model/parse.ts';
import { ServiceDocument } from '../../model/service.ts';
import { newDraft, type CommandContext, type Draft } from '../draft.ts';
import type { RegistryView } from '../registry.ts';
import { applyService } from './apply.ts';

/** `to` undefined: the version that the newest rollout began from. */
export function undo(view: RegistryView, name: string, to: number | undefined, context: CommandContext): Draft {
  const draft = newDraft();
  const service = view.services.get(name)?.value;
  if (service === undefined) throw missing('service', name, view.services.keys());
  const number = to ?? view.rollouts.get(name)?.value.from;
  if (number === undefined) throw new SwitchboardError('not_found', `service ${name} has no earlier version`);
  const version = view.versions.get(name)?.find((one) => one.number === number);
  if (version === undefined)
    throw new SwitchboardError('not_found', `service ${name} has no version ${number}`, {
      remedy: `\`switchboard rollout history ${name}\` lists those that are kept.`,
    });
  const { kind, labels, spec } = service;
  const { runtime, launch } = version;
  // What it is asked belongs to what runs; how often, and how patiently, does not.
  const { type, options } = version.probe;
  const document = { kind, name, labels, spec: { ...spec, runtime, launch, probe: { ...spec.probe, type, options } } };
  applyService(
    view,
    parseAs(ServiceDocument, document, `version ${number} of service ${name}`),
    context,
    draft,
    'direct',
  );
  return draft;
}
