/**
 * What a container gets as environment. The engine keeps variables in the container's configuration, readable by whoever may
 * use the engine, who is as good as root there. Who wants references kept out of it has them as files instead, in a folder of this
 * machine that only its owner can enter, mounted read-only: images know the convention NAME_FILE from Docker's own secrets.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveEnvironment } from '../../environment.ts';
import type { StartRequest } from '../../runtime.ts';
import type { TemplateValues } from '../../../model/template.ts';
import { SECRETS } from './container.ts';

/** `folder`: where references are to lie as files; undefined: they are variables. Error: `invalid` for a reference that can't be read. */
export function environmentOf(
  request: StartRequest,
  values: TemplateValues,
  environment: Readonly<Record<string, string | undefined>>,
  folder: string | undefined,
): Record<string, string> {
  const { launch, instance, service, version } = request;
  const identity = {
    PYTHONUNBUFFERED: '1',
    SWITCHBOARD_INSTANCE: instance,
    SWITCHBOARD_SERVICE: service,
    SWITCHBOARD_VERSION: String(version),
    SWITCHBOARD_HOST: values.host,
    SWITCHBOARD_PORT: values.port,
  };
  const resolved = resolveEnvironment(launch.env, values, environment);
  if (folder === undefined) return { ...identity, ...resolved };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const env: Record<string, string> = { ...identity };
  for (const [name, value] of Object.entries(resolved)) {
    if (typeof launch.env[name] === 'string') {
      env[name] = value;
      continue;
    }
    // Readable by any user of the container; on this machine the folder above is its owner's alone.
    writeFileSync(join(folder, name), value, { mode: 0o444 });
    env[`${name}_FILE`] = `${SECRETS}/${name}`;
  }
  return env;
}
