/** Draining by request: an instance, a version or a service takes no new sessions, until it is stopped or the drain is cancelled. */
import type { InstanceReason } from '../../model/reasons.ts';
import type { DrainRequest, DrainState, DrainTarget } from '../../model/drain.ts';
import { SwitchboardError } from '../../model/errors.ts';
import { missing } from '../../model/missing.ts';
import type { Instance } from '../../model/instance.ts';
import type { Service } from '../../model/service.ts';
import { durationMs } from '../../model/units.ts';
import { addEvent, newDraft, type CommandContext, type Draft } from '../draft.ts';
import type { RegistryView } from '../registry.ts';
import { instancesOf, replaceInstance } from './instances.ts';

function chosen(view: RegistryView, target: DrainTarget): { what: string; instances: Instance[] } {
  if (target.kind === 'instance') {
    const held = view.instances.get(target.id);
    if (held === undefined) throw missing('instance', target.id, view.instances.keys());
    return { what: `instance ${target.id}`, instances: [held.value] };
  }
  if (!view.services.has(target.name)) throw missing('service', target.name, view.services.keys());
  const all = instancesOf(view, target.name);
  if (target.kind === 'service') return { what: `service ${target.name}`, instances: all };
  if (!(view.versions.get(target.name) ?? []).some((version) => version.number === target.number))
    throw new SwitchboardError('not_found', `service ${target.name} has no version ${target.number}`);
  return {
    what: `version ${target.number} of service ${target.name}`,
    instances: all.filter((instance) => instance.version === target.number),
  };
}

function subjectOf(target: DrainTarget): { kind: string; name: string } {
  return target.kind === 'instance' ? { kind: 'Instance', name: target.id } : { kind: 'Service', name: target.name };
}

function drainOf(request: DrainRequest, instance: Instance, service: Service | undefined, now: number): DrainState {
  const deadline = durationMs(request.deadline ?? service?.spec.drain.deadline ?? '1h');
  return {
    reason: request.reason,
    since: instance.drain?.since ?? new Date(now).toISOString(),
    deadline: new Date(now + deadline).toISOString(),
    stopGrace: service?.spec.drain.stopGrace ?? '30s',
    policy: request.policy,
    then: request.then,
    ...(request.notifyUrl === undefined ? {} : { notifyUrl: request.notifyUrl }),
  };
}

export function drain(view: RegistryView, target: DrainTarget, request: DrainRequest, context: CommandContext): Draft {
  const draft = newDraft();
  const { what, instances } = chosen(view, target);
  for (const instance of instances) {
    if (instance.state === 'stopping' || instance.state === 'stopped') continue;
    const service = view.services.get(instance.service)?.value;
    const next = drainOf(request, instance, service, context.now());
    if (
      (request.policy === 'notify' || request.policy === 'notify-then-close') &&
      next.notifyUrl === undefined &&
      service?.spec.hooks?.drain === undefined
    )
      draft.warnings.push(
        `instance ${instance.id}: nobody is notified: its service has no drain hook (spec.hooks.drain), and no notifyUrl was given`,
      );
    replaceInstance(view, draft, { ...instance, drain: next });
    draft.report.push({
      kind: 'Instance',
      name: instance.id,
      action: 'updated',
      diff: [{ path: 'drain', ...(instance.drain === undefined ? {} : { before: instance.drain }), after: next }],
    });
  }
  if (request.then === 'keep' && draft.report.length > 0)
    for (const name of new Set(instances.map((instance) => instance.service))) {
      const left = instancesOf(view, name).filter((one) => one.drain === undefined && !instances.includes(one)).length;
      if (left === 0) draft.warnings.push(`service ${name} has no other instance: new sessions are refused meanwhile`);
    }
  if (draft.report.length === 0) return draft;
  addEvent(draft, context, {
    action: `${target.kind}.drain`,
    subject: subjectOf(target),
    message: `${what} is drained (${request.policy}, then ${request.then}): ${request.reason}`,
  });
  return draft;
}

export function undrain(view: RegistryView, target: DrainTarget, context: CommandContext): Draft {
  const draft = newDraft();
  const { what, instances } = chosen(view, target);
  const at = new Date(context.now()).toISOString();
  const late = instances.filter(
    (one) => one.drain !== undefined && (one.state === 'stopping' || one.state === 'stopped'),
  );
  if (target.kind === 'instance' && late.length > 0)
    throw new SwitchboardError('conflict', `${what} is being stopped already: its drain can not be cancelled any more`);
  for (const one of late) draft.warnings.push(`instance ${one.id} is being stopped already`);
  for (const instance of instances) {
    if (instance.drain === undefined || late.includes(instance)) continue;
    const { drain: before, ...rest } = instance;
    // It was ready when its drain began, and is looked at from now on again: it need not start anew.
    const state =
      instance.state === 'draining'
        ? {
            state: 'ready' as const,
            reason: 'Resumed' satisfies InstanceReason,
            message: 'its drain was cancelled',
            since: at,
          }
        : {};
    replaceInstance(view, draft, { ...rest, ...state });
    draft.report.push({ kind: 'Instance', name: instance.id, action: 'updated', diff: [{ path: 'drain', before }] });
  }
  if (draft.report.length === 0) return draft;
  addEvent(draft, context, {
    action: `${target.kind}.undrain`,
    subject: subjectOf(target),
    message: `the drain of ${what} was cancelled`,
  });
  return draft;
}
