/** Resources as Envoy has them, from its admin interface. */
import { entryOf, type Entry } from './entry.ts';
import type { ResourceType } from './resource-types.ts';

/** GET of a path of the admin interface; rejects when Envoy does not answer. */
export type Admin = (path: string) => Promise<string>;

export interface EnvoyEntry extends Entry {
  readonly lastUpdated: string | null;
  /** It waits for something before it is used: a cluster for its endpoints or first checks. */
  readonly warming: boolean;
  /** Envoy's text about the last form that it refused. */
  readonly error?: string;
}

type DumpEntry = Readonly<Record<string, unknown>>;

/** Entries of one field of the dump. With a mask only those fields are filled. */
export async function dump(admin: Admin, field: string, query = ''): Promise<DumpEntry[]> {
  const text = await admin(`/config_dump?resource=${field}${query === '' ? '' : `&${query}`}`);
  return (JSON.parse(text) as { configs?: DumpEntry[] }).configs ?? [];
}

const textIn = (entry: DumpEntry, name: string): string => (typeof entry[name] === 'string' ? entry[name] : '');

function read(type: ResourceType, entry: DumpEntry, warming: boolean): EnvoyEntry {
  const resource = type.resource(entry) as Record<string, unknown> | undefined;
  // A listener keeps its times and versions in its state; a secret its name outside.
  const state = (entry['active_state'] as DumpEntry | undefined) ?? entry;
  const own = resource?.[type.nameField] ?? entry['name'];
  const error = (entry['error_state'] as { details?: string } | undefined)?.details;
  return {
    ...entryOf(type, typeof own === 'string' ? own : '', textIn(state, 'version_info'), resource ?? {}),
    lastUpdated: textIn(state, 'last_updated') || null,
    warming,
    ...(error === undefined ? {} : { error }),
  };
}

export async function envoyConfig(admin: Admin, type: ResourceType): Promise<EnvoyEntry[]> {
  const found: EnvoyEntry[] = [];
  for (const [place, field] of type.fields.entries())
    for (const entry of await dump(admin, field, type.query)) found.push(read(type, entry, place > 0));
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
