/** `spec.launch.options` of a service with runtime docker, and what of a service a container can't do. */
import { z } from 'zod';
import type { Issue } from '../../../model/errors.ts';
import { issuesOf } from '../../../model/parse.ts';
import type { ServiceSpec } from '../../../model/service.ts';
import { stopCommandOf } from '../../../model/hooks.ts';
import { templateSlips } from '../../../model/template.ts';

export const NETWORKS = ['host', 'bridge'] as const;

const ContainerPath = z.string().startsWith('/').max(4096);

export const LaunchOptions = z.strictObject({
  /** In place of the image's own; `launch.command` is what it gets. */
  entrypoint: z.array(z.string().min(1).max(4096)).min(1).optional(),
  pull: z.enum(['always', 'if-missing', 'never']).default('if-missing'),
  /** host: the agent listens at {host}:{port} of this machine. bridge: it listens at {port} of its own network, published at one of this machine's ports. */
  network: z.enum(NETWORKS).optional(),
  /** Bridge only: what {port} stands for, for an image whose port is fixed. Default: the published port. */
  containerPort: z.int().min(1).max(65_535).optional(),
  /** `name`, `uid` or `uid:gid`. Default: the image's. */
  user: z.string().min(1).max(128).optional(),
  /** How references (fromEnv, fromFile) reach the agent: as variables, or as files /run/secrets/NAME that NAME_FILE names, which the engine never stores. */
  secrets: z.enum(['env', 'files']).default('env'),
  mounts: z
    .array(
      z.strictObject({
        /** Absolute path on the engine's machine. */
        source: ContainerPath,
        target: ContainerPath,
        readOnly: z.boolean().default(true),
      }),
    )
    .max(64)
    .default([]),
});
export type LaunchOptions = z.infer<typeof LaunchOptions>;

/** Image names as engines take them: [host[:port]/]path[:tag][@digest]. */
const IMAGE =
  /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$/;

export function checkContainer({ launch, probe, hooks }: ServiceSpec): Issue[] {
  if (launch === undefined) return [];
  const issues: Issue[] = [];
  if (stopCommandOf(hooks).length > 0)
    issues.push({
      path: 'spec.hooks.stop.command',
      message: 'needs runtime process, nothing is run inside a container: use a URL, which the agent answers',
    });
  if (launch.image === undefined) issues.push({ path: 'spec.launch.image', message: 'is required for runtime docker' });
  else if (!IMAGE.test(launch.image))
    issues.push({ path: 'spec.launch.image', message: `${launch.image} is no name of an image, such as my-agent:1.2` });
  const options = LaunchOptions.safeParse(launch.options ?? {});
  if (!options.success) issues.push(...issuesOf(options.error, 'spec.launch.options'));
  else if (options.data.containerPort !== undefined && options.data.network === 'host')
    issues.push({
      path: 'spec.launch.options.containerPort',
      message: "on the machine's own network there is no port mapping: set network to bridge",
    });
  if (probe.type === 'process')
    issues.push({
      path: 'spec.probe.type',
      message: 'a container is not looked at as a process: use tcp, http, websocket or myagent',
    });
  if (launch.cwd !== undefined && !launch.cwd.startsWith('/') && !launch.cwd.startsWith('{workdir}'))
    issues.push({ path: 'spec.launch.cwd', message: 'must be an absolute path in the container' });
  const texts: [string, string][] = [
    ...(launch.command ?? []).map((part, index): [string, string] => [part, `spec.launch.command.${index}`]),
    ...(options.data?.entrypoint ?? []).map((part, index): [string, string] => [
      part,
      `spec.launch.options.entrypoint.${index}`,
    ]),
  ];
  return [...issues, ...texts.flatMap(([text, path]) => templateSlips(text, path))];
}
