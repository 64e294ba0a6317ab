/** What of a service the process runtime can't do, told when it is applied rather than when an instance is to start. */
import type { Issue } from '../../../model/errors.ts';
import type { Launch, ServiceSpec } from '../../../model/service.ts';
import { stopCommandOf } from '../../../model/hooks.ts';
import { templateSlips } from '../../../model/template.ts';

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
