/**
 * The environment of an agent: a few variables that every program needs, what the service sets, and who it is. Never the
 * control plane's whole environment: that may hold secrets of others. References are read here, at the start of the
 * process, and go nowhere else: not into records, logs or errors.
 */
import { readFileSync } from 'node:fs';
import { SwitchboardError, type Issue } from '../model/errors.ts';
import type { EnvValue } from '../model/service.ts';
import { fillTemplate, type TemplateValues } from '../model/template.ts';

const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'SystemRoot',
];

export function inherited(environment: Environment): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = environment[name];
    if (value !== undefined) result[name] = value;
  }
  // Python holds back output to a file until 8 KiB are full; a log that lags is of little use.
  return { PYTHONUNBUFFERED: '1', ...result };
}

type Environment = Readonly<Record<string, string | undefined>>;
type Reference = Exclude<EnvValue, string>;

/** The value, or why there is none and what to do. The value itself is in no error. */
function read(reference: Reference, environment: Environment): { value: string } | { missing: string } {
  if ('fromEnv' in reference) {
    const name = reference.fromEnv;
    const value = environment[name];
    if (value !== undefined) return { value };
    return {
      missing: `the control plane has no environment variable ${name}: set it where the control plane runs and start that again, such as \`${name}=... npm start\` (open sessions go on), or use {fromFile: PATH}`,
    };
  }
  const path = reference.fromFile;
  try {
    return { value: readFileSync(path, 'utf8').replace(/\r?\n$/, '') };
  } catch (error) {
    return { missing: whyUnread(path, (error as NodeJS.ErrnoException).code) };
  }
}

function whyUnread(path: string, code: string | undefined): string {
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return `there is no file ${path} where the control plane runs: put it there`;
  if (code === 'EISDIR') return `${path} is a folder, not a file`;
  if (code === 'EACCES') return `the control plane may not read the file ${path}: let its user read it`;
  return `cannot read the file ${path} (${code ?? 'error'})`;
}

/** References that can't be read now, each with the variable that wants it, the reason and what to do. */
export function missingReferences(env: Readonly<Record<string, EnvValue>>, environment: Environment): Issue[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const found = typeof value === 'string' ? undefined : read(value, environment);
    return found === undefined || 'value' in found ? [] : [{ path: `spec.launch.env.${name}`, message: found.missing }];
  });
}

/** What the service sets. Error: `invalid`, naming each variable whose reference can't be read. */
export function resolveEnvironment(
  env: Readonly<Record<string, EnvValue>>,
  values: TemplateValues,
  environment: Environment,
): Record<string, string> {
  const result: Record<string, string> = {};
  const issues: Issue[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === 'string') {
      result[name] = fillTemplate(value, values);
      continue;
    }
    const found = read(value, environment);
    if ('value' in found) result[name] = found.value;
    else issues.push({ path: `spec.launch.env.${name}`, message: found.missing });
  }
  if (issues.length > 0) {
    throw new SwitchboardError('invalid', issues.map((issue) => `${issue.path}: ${issue.message}`).join('; '), {
      issues,
    });
  }
  return result;
}
