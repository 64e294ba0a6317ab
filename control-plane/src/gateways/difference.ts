/** What differs between the two views of a type, by name. Pure. */
import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import type { ConfigDifference } from '../model/gateway.ts';
import type { Entry } from './entry.ts';
import { redact } from './redact.ts';

/** Envoy tells of these in a form that is not the one it was sent. */
function comparable(entry: Entry): string {
  return JSON.stringify(withoutDefaults(entry.resource));
}

/** What Envoy fills in by itself when it prints endpoints; see EndpointsConfigDump. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([name, inner]) => OWN_ADDITIONS[name] === undefined || OWN_ADDITIONS[name] !== inner)
    .map(([name, inner]): [string, unknown] => [name, name === 'health_status' ? told(inner) : withoutDefaults(inner)])
    .filter(([, inner]) => !isEmpty(inner));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is sent as draining is told as unhealthy: either gets nothing new. */
const told = (health: unknown): unknown => (health === 'DRAINING' ? 'UNHEALTHY' : health);

/** Its defaults, which nobody sends. */
const OWN_ADDITIONS: Readonly<Record<string, unknown>> = { overprovisioning_factor: 140, load_balancing_weight: 1 };

function isEmpty(value: unknown): boolean {
  return value === 0 || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

function isSame(a: Entry, b: Entry): boolean {
  if (a.bytes !== undefined && b.bytes !== undefined && Buffer.compare(a.bytes, b.bytes) === 0) return true;
  return comparable(a) === comparable(b);
}

function patch(sent: Entry, envoy: Entry): string {
  const shown = (entry: Entry): string => stringify(redact(withoutDefaults(entry.resource)), { lineWidth: 0 });
  const text = createTwoFilesPatch('sent', 'envoy', shown(sent), shown(envoy), '', '', { context: 3 });
  const lines = text.split('\n').slice(1);
  return lines.length <= 4 ? 'differs only in what is not shown' : lines.join('\n');
}

export function difference(sent: readonly Entry[], envoy: readonly Entry[]): ConfigDifference {
  // A resource that was sent and never acknowledged has no content that both could have.
  const here = new Map(sent.filter((one) => one.resource !== undefined).map((one) => [one.name, one]));
  const there = new Map(envoy.map((one) => [one.name, one]));
  return {
    onlySent: [...here.keys()].filter((name) => !there.has(name)),
    onlyEnvoy: [...there.keys()].filter((name) => !here.has(name)),
    differ: [...here.values()].flatMap((own) => {
      const other = there.get(own.name);
      return other === undefined || isSame(own, other) ? [] : [{ name: own.name, patch: patch(own, other) }];
    }),
  };
}
