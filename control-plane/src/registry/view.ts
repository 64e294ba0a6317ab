/**
 * The registry's view as a pure function of commits. Maps are copied only for the kinds that a commit touches, so a view
 * that was handed out never changes.
 */
import type { Scale } from '../model/autoscale.ts';
import type { Instance } from '../model/instance.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Route } from '../model/route.ts';
import type { Service } from '../model/service.ts';
import type { Version } from '../model/version.ts';
import type { Commit, StoredRecord } from '../store/store.ts';
import type { Held, RegistryView } from './registry.ts';

export const emptyView: RegistryView = {
  revision: 0,
  services: new Map(),
  versions: new Map(),
  instances: new Map(),
  routes: new Map(),
  rollouts: new Map(),
  scales: new Map(),
};

interface Draft {
  services: Map<string, Held<Service>>;
  versions: Map<string, readonly Version[]>;
  instances: Map<string, Held<Instance>>;
  routes: Map<string, Held<Route>>;
  rollouts: Map<string, Held<Rollout>>;
  scales: Map<string, Held<Scale>>;
}

function put(draft: Draft, key: string, value: unknown, revision: number): void {
  const [kind, name = '', rest] = key.split('/');
  // The registry is the only writer, and it validates before it commits: what is stored has the type its key tells.
  if (kind === 'service') draft.services.set(name, { value: value as Service, revision });
  else if (kind === 'route') draft.routes.set(name, { value: value as Route, revision });
  else if (kind === 'instance') draft.instances.set(name, { value: value as Instance, revision });
  else if (kind === 'rollout') draft.rollouts.set(name, { value: value as Rollout, revision });
  else if (kind === 'scale') draft.scales.set(name, { value: value as Scale, revision });
  else if (kind === 'version' && rest !== undefined) {
    const version = value as Version;
    const others = (draft.versions.get(name) ?? []).filter((other) => other.number !== version.number);
    draft.versions.set(
      name,
      [...others, version].sort((a, b) => a.number - b.number),
    );
  }
}

function drop(draft: Draft, key: string): void {
  const [kind, name = '', rest] = key.split('/');
  if (kind === 'service') draft.services.delete(name);
  else if (kind === 'route') draft.routes.delete(name);
  else if (kind === 'instance') draft.instances.delete(name);
  else if (kind === 'rollout') draft.rollouts.delete(name);
  else if (kind === 'scale') draft.scales.delete(name);
  else if (kind === 'version' && rest !== undefined) {
    const left = (draft.versions.get(name) ?? []).filter((version) => version.number !== Number(rest));
    if (left.length === 0) draft.versions.delete(name);
    else draft.versions.set(name, left);
  }
}

/** The view after a commit; the same view for one that it shows already. */
export function withCommit(view: RegistryView, commit: Commit): RegistryView {
  if (commit.revision <= view.revision) return view;
  const touched = new Set(commit.changes.map((change) => change.key.slice(0, change.key.indexOf('/'))));
  const draft: Draft = {
    services: (touched.has('service') ? new Map(view.services) : view.services) as Draft['services'],
    versions: (touched.has('version') ? new Map(view.versions) : view.versions) as Draft['versions'],
    instances: (touched.has('instance') ? new Map(view.instances) : view.instances) as Draft['instances'],
    routes: (touched.has('route') ? new Map(view.routes) : view.routes) as Draft['routes'],
    rollouts: (touched.has('rollout') ? new Map(view.rollouts) : view.rollouts) as Draft['rollouts'],
    scales: (touched.has('scale') ? new Map(view.scales) : view.scales) as Draft['scales'],
  };
  for (const change of commit.changes) {
    if (change.op === 'put') put(draft, change.key, change.value, commit.revision);
    else drop(draft, change.key);
  }
  return { revision: commit.revision, ...draft };
}

export function viewOf(revision: number, records: readonly StoredRecord[]): RegistryView {
  const draft: Draft = {
    services: new Map(),
    versions: new Map(),
    instances: new Map(),
    routes: new Map(),
    rollouts: new Map(),
    scales: new Map(),
  };
  for (const record of records) put(draft, record.key, record.value, record.revision);
  return { revision, ...draft };
}
