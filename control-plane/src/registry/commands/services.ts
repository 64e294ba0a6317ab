/** Verbs on a whole service: start, stop, scale, restart, delete; and deleting a route. */
import type { LeavingReason } from '../../model/reasons.ts';
import { SwitchboardError } from '../../model/errors.ts';
import { missing } from '../../model/missing.ts';
import { ServiceDocument, type Service } from '../../model/service.ts';
import { parseAs } from '../../model/parse.ts';
import { shown } from '../redact.ts';
import { dependentsOf } from '../dependencies.ts';
import { servicesOf } from '../../model/route.ts';
import { addEvent, checkExpected, newDraft, type CommandContext, type Draft } from '../draft.ts';
import { remove, rolloutKey, routeKey, scaleKey, serviceKey, versionKey } from '../keys.ts';
import type { Held, RegistryView } from '../registry.ts';
import { applyService } from './apply.ts';
import { drainAll, drained, instancesOf, replaceInstance, retryFailed } from './instances.ts';

function find(view: RegistryView, name: string): Held<Service> {
  const held = view.services.get(name);
  if (held === undefined) throw missing('service', name, view.services.keys());
  return held;
}

/** A change of the spec by a verb goes the way of any other change of the spec. */
function respec(
  view: RegistryView,
  service: Service,
  change: Partial<Service['spec']>,
  context: CommandContext,
  draft: Draft,
): void {
  const { kind, name, labels, spec } = service;
  applyService(
    view,
    parseAs(ServiceDocument, { kind, name, labels, spec: { ...spec, ...change } }, `service ${name}`),
    context,
    draft,
  );
}

export function setEnabled(
  view: RegistryView,
  name: string,
  enabled: boolean,
  context: CommandContext,
  now: boolean,
): Draft {
  const draft = newDraft();
  const { value: service } = find(view, name);
  respec(view, service, { enabled }, context, draft);
  // Starting what is enabled already means: try again what has given up.
  if (enabled && service.spec.enabled) retryFailed(view, name, context, draft);
  if (!enabled && now) {
    if (service.spec.runtime === 'external')
      draft.warnings.push(
        `service ${name} is external: no new sessions go to it, but its open sessions can not be ended from here`,
      );
    else drainAll(view, service, 'Stopped', context, draft, true);
  }
  return draft;
}

export function scale(view: RegistryView, name: string, replicas: number, context: CommandContext): Draft {
  const draft = newDraft();
  const { value: service } = find(view, name);
  if (service.spec.runtime === 'external') {
    throw new SwitchboardError('invalid', `service ${name} is external: its instances are not started here`, {
      issues: [{ path: 'replicas', message: 'an external service can not be scaled' }],
    });
  }
  if (service.spec.autoscale !== undefined)
    throw new SwitchboardError('conflict', `service ${name} is autoscaled: its autoscaler would undo this`, {
      issues: [{ path: 'replicas', message: 'spec.autoscale decides' }],
      remedy: 'Change spec.autoscale.min or max, or remove spec.autoscale first.',
    });
  respec(view, service, { replicas }, context, draft);
  return draft;
}

export function restart(view: RegistryView, name: string, context: CommandContext, now: boolean): Draft {
  const draft = newDraft();
  const { value: service, revision } = find(view, name);
  checkExpected(context, revision, `service ${name}`);
  if (service.spec.runtime === 'external') {
    throw new SwitchboardError('invalid', `service ${name} is external: restart its instances where they run`);
  }
  for (const instance of instancesOf(view, name)) {
    if (instance.drain !== undefined) continue;
    const at = new Date(context.now()).toISOString();
    replaceInstance(
      view,
      draft,
      now
        ? drained(instance, service, 'Restarted', context.now(), true)
        : { ...instance, replace: { reason: 'Restarted' satisfies LeavingReason, at } },
    );
  }
  draft.report.push({ kind: 'Service', name, action: draft.changes.length === 0 ? 'unchanged' : 'updated', diff: [] });
  addEvent(draft, context, {
    action: 'service.restart',
    subject: { kind: 'Service', name },
    message: now
      ? `service ${name} is restarted at once`
      : `service ${name} is restarted: each instance is drained once its replacement is ready`,
  });
  return draft;
}

export function removeService(view: RegistryView, name: string, context: CommandContext, now: boolean): Draft {
  const draft = newDraft();
  const { value: service, revision } = find(view, name);
  checkExpected(context, revision, `service ${name}`);
  const users = [...view.routes.values()]
    .filter((route) => servicesOf(route.value.spec.target).includes(name))
    .map((route) => route.value.name);
  if (users.length > 0) {
    throw new SwitchboardError('conflict', `service ${name} is the target of route ${users.join(', ')}`, {
      remedy: 'Delete or change the route first.',
    });
  }
  const dependents = dependentsOf(view, name);
  if (dependents.length > 0) {
    throw new SwitchboardError('conflict', `service ${dependents.join(', ')} depends on service ${name}`, {
      remedy: 'Delete it first, or take it out of its spec.dependsOn.',
    });
  }
  drainAll(view, service, 'ServiceDeleted', context, draft, now, service.spec.hooks);
  draft.expect.push({ key: serviceKey(name), revision });
  draft.changes.push(
    remove(serviceKey(name)),
    ...(view.versions.get(name) ?? []).map((version) => remove(versionKey(name, version.number))),
    ...(view.rollouts.has(name) ? [remove(rolloutKey(name))] : []),
    ...(view.scales.has(name) ? [remove(scaleKey(name))] : []),
  );
  draft.report.push({ kind: 'Service', name, action: 'deleted', diff: [] });
  addEvent(draft, context, {
    action: 'service.delete',
    subject: { kind: 'Service', name },
    message: `service ${name} was deleted`,
    before: shown(
      [
        { path: 'labels', before: service.labels },
        { path: 'spec', before: service.spec },
      ],
      'before',
    ),
  });
  return draft;
}

export function removeRoute(view: RegistryView, name: string, context: CommandContext): Draft {
  const draft = newDraft();
  const held = view.routes.get(name);
  if (held === undefined) throw missing('route', name, view.routes.keys());
  checkExpected(context, held.revision, `route ${name}`);
  draft.expect.push({ key: routeKey(name), revision: held.revision });
  draft.changes.push(remove(routeKey(name)));
  draft.report.push({ kind: 'Route', name, action: 'deleted', diff: [] });
  addEvent(draft, context, {
    action: 'route.delete',
    subject: { kind: 'Route', name },
    message: `route ${name} was deleted`,
    before: shown(
      [
        { path: 'labels', before: held.value.labels },
        { path: 'spec', before: held.value.spec },
      ],
      'before',
    ),
  });
  return draft;
}
