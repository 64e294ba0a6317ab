/** What of a service the process runtime can't do, told when it is applied rather than when an instance is to start. */
import { delimiter, isAbsolute, resolve } from 'node:path';
import type { Issue } from '../../../model/errors.ts';
import type { Launch, ServiceSpec } from '../../../model/service.ts';
import { stopCommandOf } from '../../../model/hooks.ts';
import { templateSlips } from '../../../model/template.ts';
import { inherited, missingReferences } from '../../environment.ts';
import { wrappersOf } from './limits.ts';
import { folderProblem, programProblem } from '../../../home/program.ts';

export function templatesOf(launch: Launch): Issue[] {
  return [
    ...(launch.command ?? []).flatMap((part, index) => templateSlips(part, `spec.launch.command.${index}`)),
    ...(launch.cwd === undefined ? [] : templateSlips(launch.cwd, 'spec.launch.cwd')),
  ];
}

export function checkProcess({ launch, hooks }: ServiceSpec): Issue[] {
  if (launch === undefined) return [];
  const issues: Issue[] = stopCommandOf(hooks).flatMap((part, index) =>
    templateSlips(part, `spec.hooks.stop.command.${index}`),
  );
  if (launch.command === undefined)
    issues.push({ path: 'spec.launch.command', message: 'is required for runtime process' });
  if (launch.image !== undefined)
    issues.push({
      path: 'spec.launch.image',
      message: 'a process has no image: remove it, or set spec.runtime to docker',
    });
  for (const name of Object.keys(launch.options ?? {}))
    issues.push({ path: `spec.launch.options.${name}`, message: 'the process runtime has no such option' });
  if (launch.limits?.memory !== undefined)
    issues.push({
      path: 'spec.launch.limits.memory',
      message: 'a process has no hard limit of memory: use spec.launch.memoryLimit, which replaces it after a drain',
    });
  if (launch.limits?.cpus !== undefined)
    issues.push({
      path: 'spec.launch.limits.cpus',
      message: "a process's share of the processor has no hard limit: use spec.launch.limits.cpuWeight",
    });
  return [...issues, ...templatesOf(launch)];
}

const isTemplate = (text: string): boolean => /[{}]/.test(text);

/** What depends on the instance, by a template or by its own folder, is known only when one starts. */
export function missingOf(launch: Launch, environment: Readonly<Record<string, string | undefined>>): Issue[] {
  const issues = missingReferences(launch.env, environment);
  const add = (path: string, message: string | undefined): void => {
    if (message !== undefined) issues.push({ path, message });
  };
  const { cwd, env, command: [program = ''] = [] } = launch;
  const path = env['PATH'] ?? inherited(environment)['PATH'];
  const folder = cwd === undefined || isTemplate(cwd) ? undefined : resolve(cwd);
  if (folder !== undefined) add('spec.launch.cwd', folderProblem(folder));
  const isRelative = program.includes('/') && !isAbsolute(program);
  if (
    isTemplate(program) ||
    (isRelative && folder === undefined) ||
    issues.some((one) => one.path === 'spec.launch.cwd')
  )
    return issues;
  if (typeof path === 'object' || (path !== undefined && isTemplate(path))) return issues;
  // Those of its folders that are relative start at the instance's own.
  if (folder === undefined && path?.split(delimiter).some((one) => !isAbsolute(one)) === true) return issues;
  const where = { cwd: folder ?? '/', path };
  add('spec.launch.command.0', programProblem(program, where));
  for (const one of wrappersOf(launch.limits))
    add(`spec.launch.limits.${one.field}`, programProblem(one.program, where));
  return issues;
}
