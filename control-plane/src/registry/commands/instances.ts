/** Commands that act on instances: drain, restart, registration from outside, and the reconcile loop's own writes. */
import type { InstanceReason, LeavingReason } from '../../model/reasons.ts';
import { needsServerName } from '../../model/agent-tls.ts';
import { addressText, hostPort } from '../../model/address.ts';
import type { DrainState } from '../../model/drain.ts';
import type { Hooks } from '../../model/hooks.ts';
import { SwitchboardError } from '../../model/errors.ts';
import { missing } from '../../model/missing.ts';
import type { Instance, Registration } from '../../model/instance.ts';
import type { Service } from '../../model/service.ts';
import { durationMs } from '../../model/units.ts';
import { addEvent, type CommandContext, type Draft } from '../draft.ts';
import { instanceKey, put, remove } from '../keys.ts';
import type { InstancePatch, InstanceWrite, RegistryView } from '../registry.ts';

const DEFAULT_GRACE = '30s';

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Marks an instance to be drained: `now` sets the deadline to this moment, so that open sessions end. */
export function drained(
  instance: Instance,
  service: Service | undefined,
  reason: LeavingReason,
  now: number,
  immediately: boolean,
): Instance & { readonly drain: DrainState } {
  const deadline = iso(immediately ? now : now + durationMs(service?.spec.drain.deadline ?? '1h'));
  const earlier = instance.drain;
  return {
    ...instance,
    drain: {
      reason: earlier?.reason ?? reason,
      since: earlier?.since ?? iso(now),
      deadline: earlier !== undefined && earlier.deadline < deadline ? earlier.deadline : deadline,
      stopGrace: service?.spec.drain.stopGrace ?? earlier?.stopGrace ?? DEFAULT_GRACE,
      ...(earlier?.notified === undefined ? {} : { notified: earlier.notified }),
    },
  };
}

export function replaceInstance(view: RegistryView, draft: Draft, instance: Instance): void {
  draft.expect.push({ key: instanceKey(instance.id), revision: view.instances.get(instance.id)?.revision ?? 0 });
  draft.changes.push(put(instanceKey(instance.id), instance));
}

export function instancesOf(view: RegistryView, service: string): Instance[] {
  return [...view.instances.values()].map((held) => held.value).filter((instance) => instance.service === service);
}

/** Drains every instance of a service. `hooks`: what their end needs of the service, where that is not there any more by then. */
export function drainAll(
  view: RegistryView,
  service: Service,
  reason: LeavingReason,
  context: CommandContext,
  draft: Draft,
  immediately: boolean,
  hooks?: Hooks,
): void {
  for (const instance of instancesOf(view, service.name)) {
    const leaving = drained(instance, service, reason, context.now(), immediately);
    const drain = { ...leaving.drain, ...(hooks === undefined ? {} : { hooks }) };
    replaceInstance(view, draft, { ...leaving, drain });
  }
}

/** Instances that gave up are replaced by fresh ones when the service is started again. */
export function retryFailed(view: RegistryView, service: string, context: CommandContext, draft: Draft): void {
  for (const instance of instancesOf(view, service)) {
    // What runs elsewhere is not started from here: it is looked at all the time.
    if (instance.state !== 'failed' || instance.drain !== undefined || instance.runtime === 'external') continue;
    replaceInstance(view, draft, {
      ...instance,
      replace: { reason: 'Started' satisfies LeavingReason, at: iso(context.now()) },
    });
  }
}

export function stopInstance(
  view: RegistryView,
  id: string,
  context: CommandContext,
  draft: Draft,
  immediately: boolean,
): void {
  const held = view.instances.get(id);
  if (held === undefined) throw missing('instance', id, view.instances.keys());
  const instance = held.value;
  const service = view.services.get(instance.service)?.value;
  // With a replacement wanted and time to drain, the new one comes first.
  const replaceFirst =
    !immediately && service !== undefined && service.spec.runtime !== 'external' && instance.drain === undefined;
  const next: Instance = replaceFirst
    ? { ...instance, replace: { reason: 'Requested' satisfies LeavingReason, at: iso(context.now()) } }
    : drained(instance, service, 'Requested', context.now(), immediately);
  replaceInstance(view, draft, next);
  draft.report.push({
    kind: 'Instance',
    name: id,
    action: 'updated',
    diff: [{ path: replaceFirst ? 'replace' : 'drain', after: replaceFirst ? next.replace : next.drain }],
  });
  addEvent(draft, context, {
    action: 'instance.stop',
    subject: { kind: 'Instance', name: id, service: instance.service },
    message: immediately
      ? `instance ${id} is stopped at once`
      : `instance ${id} is drained${replaceFirst ? ' once its replacement is ready' : ''}`,
  });
}

/** The instance that a registration makes or renews. */
export function registered(
  view: RegistryView,
  registration: Registration,
  token: number,
  leaseName: string,
  context: CommandContext,
): Instance {
  const now = iso(context.now());
  const id = registration.id ?? `${registration.service}-${context.randomId(5)}`;
  const before = view.instances.get(id)?.value;
  const base: Instance = {
    kind: 'Instance',
    id,
    service: registration.service,
    version: view.services.get(registration.service)?.value.version ?? 0,
    runtime: 'external',
    address: registration.address,
    tags: registration.tags,
    weight: registration.weight,
    state: 'unknown',
    reason: 'Registered' satisfies InstanceReason,
    message: 'registered; not probed yet',
    since: now,
    restarts: 0,
    failures: [],
    conditions: [],
    createdAt: before?.createdAt ?? now,
    lease: { name: leaseName, token, ttlMs: registration.ttlSeconds * 1000 },
    ...(registration.zone === undefined ? {} : { zone: registration.zone }),
  };
  // An operator's drain for maintenance is not the agent's to cancel.
  if (before?.drain?.then === 'keep')
    return {
      ...base,
      drain: before.drain,
      state: before.state,
      reason: before.reason,
      message: before.message,
      since: before.since,
    };
  // A ready instance that registers again stays ready: its sessions and its place must not flicker.
  if (before?.state === 'ready')
    return { ...base, state: 'ready', reason: before.reason, message: before.message, since: before.since };
  return base;
}

export function checkRegistration(view: RegistryView, registration: Registration): void {
  const service = view.services.get(registration.service)?.value;
  if (service === undefined) {
    throw new SwitchboardError('invalid', `there is no service ${registration.service}`, {
      issues: [{ path: 'service', message: `there is no service ${registration.service}` }],
      remedy: `Create it first, with spec.runtime: external.`,
    });
  }
  if (service.spec.runtime !== 'external') {
    throw new SwitchboardError(
      'invalid',
      `service ${service.name} does not take registrations: its runtime is ${service.spec.runtime}`,
      {
        issues: [{ path: 'service', message: 'its spec.runtime is not external' }],
      },
    );
  }
  if (needsServerName(service.spec.gateway.tls))
    throw new SwitchboardError(
      'invalid',
      `service ${service.name} speaks TLS to agents, and which name the certificate of one that registers itself has is not said`,
      {
        issues: [{ path: 'address', message: 'has no DNS name to find in a certificate' }],
        remedy: 'Set spec.gateway.tls.serverName of the service.',
      },
    );
  const { host, port } = registration.address;
  for (const { value: other } of view.instances.values()) {
    const sameAddress = other.address?.host === host && other.address.port === port;
    if (other.id === registration.id) {
      if (other.service !== registration.service || !sameAddress) {
        throw new SwitchboardError(
          'conflict',
          `instance ${other.id} exists already, at ${other.address === undefined ? '?' : addressText(other.address)} of service ${other.service}`,
          {
            issues: [{ path: 'id', message: 'is taken by another instance' }],
          },
        );
      }
    } else if (sameAddress && other.drain === undefined && other.state !== 'stopped') {
      throw new SwitchboardError('conflict', `${hostPort(host, port)} is registered already as instance ${other.id}`, {
        issues: [{ path: 'address', message: `is taken by instance ${other.id}` }],
      });
    }
  }
}

function patched(instance: Instance, patch: InstancePatch): Instance {
  const merged = { ...instance, ...patch } as Record<string, unknown>;
  for (const [key, value] of Object.entries(merged)) if (value === undefined) Reflect.deleteProperty(merged, key);
  return merged as unknown as Instance;
}

/** What an event tells of an instance before and after. */
const stateOf = ({ state, reason, version, restarts }: Instance): object => ({ state, reason, version, restarts });

/** The loop's writes: against the newest view, so a write for an instance that is gone is passed over. */
export function writeInstances(
  view: RegistryView,
  writes: readonly InstanceWrite[],
  context: CommandContext,
  draft: Draft,
): void {
  for (const write of writes) {
    const id = write.op === 'create' ? write.instance.id : write.id;
    const held = view.instances.get(id);
    if (write.op === 'create' ? held !== undefined : held === undefined) continue;
    const after =
      write.op === 'create'
        ? write.instance
        : write.op === 'update' && held !== undefined
          ? patched(held.value, write.patch)
          : undefined;
    if (after !== undefined) replaceInstance(view, draft, after);
    else {
      draft.expect.push({ key: instanceKey(id), revision: held?.revision ?? 0 });
      draft.changes.push(remove(instanceKey(id)));
    }
    const service = write.op === 'create' ? write.instance.service : held?.value.service;
    if (write.event !== undefined) {
      const state =
        write.op === 'update' ? (write.patch.state ?? 'update') : write.op === 'create' ? 'create' : 'remove';
      addEvent(draft, context, {
        action: `instance.${state}`,
        subject: { kind: 'Instance', name: id, ...(service === undefined ? {} : { service }) },
        message: write.event,
        ...(held === undefined ? {} : { before: stateOf(held.value) }),
        ...(after === undefined ? {} : { after: stateOf(after) }),
      });
    }
  }
}
