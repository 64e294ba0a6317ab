/** Where a process of an instance runs, and what it finds in its environment: the agent itself, and commands that are run beside it. */
import { join, resolve } from 'node:path';
import { inherited, resolveEnvironment } from '../../environment.ts';
import type { StartRequest } from '../../runtime.ts';
import { fillTemplate, type TemplateValues } from '../../../model/template.ts';
import { MARKS } from './record.ts';

export interface Place {
  /** Absolute folder of the runtime. */
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Surroundings {
  readonly values: TemplateValues;
  readonly workdir: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Error: `invalid`, naming each variable whose reference can't be read. */
export function surroundingsOf({ instance, service, version, launch }: StartRequest, place: Place): Surroundings {
  const { folder, host, environment } = place;
  const workdir = join(folder, instance, 'workdir');
  const port = String(place.port);
  const values: TemplateValues = { port, host, instance, service, workdir };
  return {
    values,
    workdir,
    cwd: launch.cwd === undefined ? workdir : resolve(fillTemplate(launch.cwd, values)),
    env: {
      ...inherited(environment),
      ...resolveEnvironment(launch.env, values, environment),
      [MARKS.folder]: folder,
      [MARKS.instance]: instance,
      [MARKS.service]: service,
      [MARKS.version]: String(version),
      [MARKS.host]: host,
      [MARKS.port]: port,
    },
  };
}
