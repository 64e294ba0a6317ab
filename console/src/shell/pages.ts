/** Every page: its path, how it is loaded, and where it stands in the menu. */
import type { Component } from 'svelte';
import { router } from './router.svelte.ts';

export interface Parameters {
  readonly name?: string;
  readonly tab?: string;
}
type Load = () => Promise<{ default: Component<Record<string, never>> }>;

export type Noun =
  'overview' | 'services' | 'sessions' | 'routes' | 'gateways' | 'topology' | 'events' | 'playground' | 'settings';

interface Page {
  /** The menu entry that is lit. */
  readonly noun: Noun;
  readonly pattern: RegExp;
  readonly load: Load;
}

export const PAGES: readonly Page[] = [
  { noun: 'overview', pattern: /^\/$/, load: () => import('../pages/overview/Overview.svelte') },
  { noun: 'services', pattern: /^\/services$/, load: () => import('../pages/services/Services.svelte') },
  { noun: 'services', pattern: /^\/add$/, load: () => import('../pages/service/Add.svelte') },
  {
    noun: 'services',
    pattern: /^\/services\/(?<name>[^/]+)(?:\/(?<tab>\w+))?$/,
    load: () => import('../pages/service/Service.svelte'),
  },
  { noun: 'sessions', pattern: /^\/sessions$/, load: () => import('../pages/sessions/Sessions.svelte') },
  { noun: 'routes', pattern: /^\/routes$/, load: () => import('../pages/routes/Routes.svelte') },
  { noun: 'gateways', pattern: /^\/gateways$/, load: () => import('../pages/gateways/Gateways.svelte') },
  {
    noun: 'gateways',
    pattern: /^\/gateways\/(?<name>[^/]+)\/(?<tab>\w+)$/,
    load: () => import('../pages/gateways/Config.svelte'),
  },
  { noun: 'topology', pattern: /^\/topology$/, load: () => import('../pages/topology/Topology.svelte') },
  { noun: 'events', pattern: /^\/events$/, load: () => import('../pages/events/Events.svelte') },
  { noun: 'playground', pattern: /^\/playground$/, load: () => import('../pages/playground/Playground.svelte') },
  { noun: 'settings', pattern: /^\/settings$/, load: () => import('../pages/settings/Settings.svelte') },
];

/** The menu, with the letter that follows `g` to jump there. */
export const MENU: readonly { noun: Noun; href: string; key: string }[] = [
  { noun: 'overview', href: '/', key: 'o' },
  { noun: 'services', href: '/services', key: 's' },
  { noun: 'sessions', href: '/sessions', key: 'n' },
  { noun: 'routes', href: '/routes', key: 'r' },
  { noun: 'gateways', href: '/gateways', key: 'w' },
  { noun: 'topology', href: '/topology', key: 't' },
  { noun: 'events', href: '/events', key: 'e' },
  { noun: 'playground', href: '/playground', key: 'p' },
  { noun: 'settings', href: '/settings', key: ',' },
];

export function pageAt(path: string): { page: Page; parameters: Parameters } | undefined {
  for (const page of PAGES) {
    const match = page.pattern.exec(path);
    if (match === null) continue;
    const { name, tab } = match.groups ?? {};
    return {
      page,
      parameters: {
        ...(name === undefined ? {} : { name: decodeURIComponent(name) }),
        ...(tab === undefined ? {} : { tab }),
      },
    };
  }
  return undefined;
}

/** The same promise each time, so that a change of tab draws nothing anew. What failed is tried again, `online` or not. */
const loaded = new Map<Load, ReturnType<Load>>();
export function load(page: Page, _online?: boolean): ReturnType<Load> {
  const found = loaded.get(page.load);
  if (found !== undefined) return found;
  const promise = page.load();
  loaded.set(page.load, promise);
  promise.catch(() => loaded.delete(page.load));
  return promise;
}

/** So that every page opens at once, and also while the control plane is away. */
export function loadAll(): void {
  for (const page of PAGES) void load(page).catch(() => undefined);
}

/** What the present path names. */
export function parameters(): Parameters {
  return pageAt(router.path)?.parameters ?? {};
}
