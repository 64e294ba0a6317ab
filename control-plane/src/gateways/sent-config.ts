/** Resources as they were sent: what Envoy has acknowledged, or, where that is not known, what it is to have. */
import { canonical, decode } from '@switchboard/proto';
import type { ResourceSync, TypeConfig } from '../xds/status.ts';
import type { Entry } from './entry.ts';
import type { ResourceType } from './resource-types.ts';

export interface SentEntry extends Entry {
  readonly sync: Omit<ResourceSync, 'wanted' | 'running'>;
}

function entry(type: ResourceType, { wanted, running, ...sync }: ResourceSync): SentEntry {
  const sent = running ?? wanted;
  const bytes = sent === undefined ? undefined : canonical(type.message, sent);
  return {
    name: sync.name,
    version: running === undefined ? sync.version : sync.acked,
    bytes,
    resource: bytes === undefined ? undefined : decode(type.message, bytes),
    sync,
  };
}

export function sentConfig(configs: readonly TypeConfig[], type: ResourceType): SentEntry[] {
  const own = configs.find(({ short }) => short === type.short);
  return (own?.resources ?? []).map((one) => entry(type, one)).sort((a, b) => (a.name < b.name ? -1 : 1));
}
