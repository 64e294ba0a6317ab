/** Values as people read them: ages, byte counts, the colour of a state; and whole objects as JSON or YAML. Pure. */
import { Option } from 'commander';
import { stringify } from 'yaml';
import type { Style } from './terminal.ts';

export const FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof FORMATS)[number];

export function formatOption(formats: readonly Format[] = FORMATS): Option {
  return new Option('-o, --output <format>', 'how the result is shown').choices(formats).default(formats[0]);
}

/** For `json` and `yaml`; ends without a line break. */
export function renderObject(value: unknown, format: 'json' | 'yaml'): string {
  return format === 'json' ? JSON.stringify(value, undefined, 2) : stringify(value, { lineWidth: 120 }).trimEnd();
}

/** `45s`, `12m`, `5h30m`, `3d4h`; empty for no time. */
export function age(since: string | null | undefined, now: number): string {
  if (since === undefined || since === null) return '';
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (minutes < 2) return `${seconds}s`;
  if (hours < 2) return `${minutes}m`;
  if (days < 2) return minutes % 60 === 0 || hours >= 10 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  return hours % 24 === 0 || days >= 10 ? `${days}d` : `${days}d${hours % 24}h`;
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** `1 session`, `2 sessions`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

const STYLES: Readonly<Record<string, Style>> = {
  ready: 'green',
  running: 'green',
  SYNCED: 'green',
  healthy: 'green',
  failed: 'red',
  unhealthy: 'red',
  ERROR: 'red',
  stopped: 'dim',
  unknown: 'dim',
};

/** Green is well, red needs a person, dim is at rest, everything else is on its way. */
export function stateStyle(state: string): Style {
  return STYLES[state] ?? 'yellow';
}
