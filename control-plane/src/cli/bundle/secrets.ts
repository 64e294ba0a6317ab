/** Which secrets an agent may tell in its log, as far as this machine knows them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../settings.ts';
import { secretsIn, type Reference } from './redact.ts';

/** Of an agent's variables those that are no secret and stand everywhere. */
const ORDINARY =
  /^(SWITCHBOARD_.*|PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|PWD|HOST|PORT|PYTHONUNBUFFERED|SystemRoot)$/;

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The variables that a process was started with; undefined: it is gone, another's, or the system does not tell. */
function variablesOf(pid: number): Record<string, string> | undefined {
  const text = readText(`/proc/${pid}/environ`);
  if (text === undefined) return undefined;
  return Object.fromEntries(
    text
      .split('\0')
      .map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)] as const)
      .filter(([name]) => name !== ''),
  );
}

/** What references lead to: as the control plane sees them where it runs here, else as this program does. */
export function lookup(controlPlane: number | undefined): (reference: Reference) => string | undefined {
  const theirs = controlPlane === undefined ? undefined : variablesOf(controlPlane);
  return ({ fromEnv, fromFile }) =>
    (fromEnv !== undefined ? (theirs?.[fromEnv] ?? environment[fromEnv]) : readText(fromFile ?? ''))?.trim();
}

export interface Known {
  readonly values: readonly string[];
  /** Services (or instances, where no service is known) of which a secret can't be told. */
  readonly unknown: ReadonlySet<string>;
}

/** `documents`: by service, all that may hold secrets of it. */
export function secretsOfServices(
  documents: ReadonlyMap<string, readonly unknown[]>,
  find: (reference: Reference) => string | undefined,
): Known {
  const found = [...documents].map(([service, of]) => ({ service, ...secretsIn(of, find) }));
  return {
    values: found.flatMap(({ values }) => values),
    unknown: new Set(found.filter(({ unresolved }) => unresolved.length > 0).map(({ service }) => service)),
  };
}

/** From the running agents themselves, where nobody tells of their services. */
export function secretsOfAgents(folder: string, instances: readonly string[]): Known {
  const values: string[] = [];
  const unknown = new Set<string>();
  for (const id of instances) {
    const record = readText(join(folder, id, 'process.json'));
    const pid = record === undefined ? undefined : (JSON.parse(record) as { process?: { pid?: number } }).process?.pid;
    const variables = pid === undefined ? undefined : variablesOf(pid);
    // Another process may have got its number since.
    if (variables?.['SWITCHBOARD_INSTANCE'] !== id) unknown.add(id);
    else for (const [name, value] of Object.entries(variables)) if (!ORDINARY.test(name)) values.push(value);
  }
  return { values, unknown };
}
