/** Which services the address bar asks for, and in which order. Pure. */
import type { ServiceView } from '../../../../control-plane/src/api/types.ts';
import { kindOf } from '../../ui/status.ts';

export const STATE_FILTERS = ['', 'attention', 'ready', 'busy', 'stopped'] as const;

export const SORTS = ['name', 'state', 'sessions'] as const;

export function inState(service: ServiceView, filter: string): boolean {
  const kind = kindOf(service.status.state);
  switch (filter) {
    case 'attention':
      return kind === 'bad' || kind === 'warn' || service.status.rollout?.phase === 'paused';
    case 'ready':
      return kind === 'ok';
    case 'busy':
      return kind === 'busy';
    case 'stopped':
      return kind === 'off';
    default:
      return true;
  }
}

/** Words are looked for in name, description and labels (`team=research`); all must be found. */
export function matches(service: ServiceView, text: string): boolean {
  const labels = Object.entries(service.labels).map(([key, value]) => `${key}=${value}`);
  const hay = [service.name, service.spec.description ?? '', ...labels].join(' ').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}

const RANK = { bad: 0, warn: 1, busy: 2, ok: 3, off: 4 };

export function sorted(services: readonly ServiceView[], sort: string): ServiceView[] {
  const byName = (a: ServiceView, b: ServiceView): number => a.name.localeCompare(b.name);
  return [...services].sort((a, b) => {
    if (sort === 'sessions') return b.status.sessions - a.status.sessions || byName(a, b);
    if (sort === 'state') return RANK[kindOf(a.status.state)] - RANK[kindOf(b.status.state)] || byName(a, b);
    return byName(a, b);
  });
}
