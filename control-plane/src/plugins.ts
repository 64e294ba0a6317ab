/**
 * Built-in and user's plugins, loaded alike: the built-in ones come from each port's list, a user's from the modules that the
 * settings name. A module exports `plugins: { probes?, policies?, runtimes?, stores? }`, each a list of descriptors. A
 * bad one stops the start: half a gateway is worse than a clear error.
 */
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { SwitchboardError, messageOf } from './model/errors.ts';
import { PLUGIN_KINDS, type PluginKind } from './model/plugin.ts';

/** What every descriptor has, whatever its port. */
export interface Descriptor {
  readonly name: string;
  readonly options: z.ZodType;
  /** One line for people. */
  readonly about?: string;
}

export type PluginLists = Partial<Record<PluginKind, readonly Descriptor[]>>;

function isDescriptor(value: unknown): value is Descriptor {
  if (typeof value !== 'object' || value === null) return false;
  const { name, options } = value as { name?: unknown; options?: { safeParse?: unknown } };
  return typeof name === 'string' && name !== '' && typeof options?.safeParse === 'function';
}

function checkLists(specifier: string, exported: unknown): PluginLists {
  const refuse = (what: string): never => {
    throw new SwitchboardError('invalid', `plugins: ${specifier}: ${what}`, {
      issues: [{ path: 'plugins', message: `${specifier}: ${what}` }],
    });
  };
  if (typeof exported !== 'object' || exported === null)
    return refuse('must export `plugins`, an object with the lists probes, policies, runtimes or stores');
  for (const [kind, list] of Object.entries(exported)) {
    if (!(PLUGIN_KINDS as readonly string[]).includes(kind))
      refuse(`plugins.${kind} is not a kind of plugin (${PLUGIN_KINDS.join(', ')})`);
    if (!Array.isArray(list)) refuse(`plugins.${kind} must be a list of descriptors`);
    for (const [index, descriptor] of (list as unknown[]).entries()) {
      if (!isDescriptor(descriptor))
        refuse(`plugins.${kind}[${index}] is not a descriptor: it needs a name and an options schema`);
    }
  }
  return exported;
}

/** Paths that start with `.` or `/` are files, relative to the settings file; anything else is an installed package. */
export async function loadPlugins(specifiers: readonly string[], baseFolder: string): Promise<PluginLists[]> {
  const loaded: PluginLists[] = [];
  for (const specifier of specifiers) {
    const isFile = specifier.startsWith('.') || isAbsolute(specifier);
    const target = isFile ? pathToFileURL(resolve(baseFolder, specifier)).href : specifier;
    let module: { plugins?: unknown };
    try {
      module = (await import(target)) as { plugins?: unknown };
    } catch (cause) {
      throw new SwitchboardError('invalid', `plugins: cannot load ${specifier}: ${messageOf(cause)}`, {
        issues: [{ path: 'plugins', message: `cannot load ${specifier}` }],
        cause,
      });
    }
    loaded.push(checkLists(specifier, module.plugins));
  }
  return loaded;
}

/** One map by name; two descriptors of one name are an error, so that no plugin replaces another unseen. */
export function byName<T extends Descriptor>(
  kind: PluginKind,
  builtIn: readonly T[],
  loaded: readonly PluginLists[],
): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  // A loaded list was checked to hold descriptors; that they fit their port is what the port's conformance kit is for.
  for (const descriptor of [...builtIn, ...loaded.flatMap((lists) => (lists[kind] ?? []) as readonly T[])]) {
    if (map.has(descriptor.name))
      throw new SwitchboardError('invalid', `plugins: there are two ${kind} named ${descriptor.name}`, {
        issues: [{ path: 'plugins', message: `two ${kind} named ${descriptor.name}` }],
      });
    map.set(descriptor.name, descriptor);
  }
  return map;
}
