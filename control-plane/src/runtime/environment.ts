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

export function inherited(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = environment[name];
    if (value !== undefined) result[name] = value;
  }
  // Python holds back output to a file until 8 KiB are full; a log that lags is of little use.
  return { PYTHONUNBUFFERED: '1', ...result };
}

/** What the service sets. Error: `invalid`, naming each variable whose reference can't be read. */
export function resolveEnvironment(
  env: Readonly<Record<string, EnvValue>>,
  values: TemplateValues,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  const issues: Issue[] = [];
  for (const [name, value] of Object.entries(env)) {
    const path = `spec.launch.env.${name}`;
    if (typeof value === 'string') result[name] = fillTemplate(value, values);
    else if ('fromEnv' in value) {
      const found = environment[value.fromEnv];
      if (found === undefined)
        issues.push({ path, message: `the control plane has no environment variable ${value.fromEnv}` });
      else result[name] = found;
    } else {
      try {
        result[name] = readFileSync(value.fromFile, 'utf8').replace(/\r?\n$/, '');
      } catch (error) {
        issues.push({
          path,
          message: `cannot read the file ${value.fromFile} (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
        });
      }
    }
  }
  if (issues.length > 0) {
    throw new SwitchboardError('invalid', issues.map((issue) => `${issue.path}: ${issue.message}`).join('; '), {
      issues,
    });
  }
  return result;
}
