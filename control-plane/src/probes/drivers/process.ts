/** The process runs and is not stopped by a signal. Only for instances that a runtime has started on this machine. */
import { z } from 'zod';
import { isAlive, readStat } from '../../home/process-identity.ts';
import type { ProbeDriver } from '../probe.ts';
import { timed } from '../timed.ts';

const Options = z.strictObject({});

export const processProbe: ProbeDriver<z.infer<typeof Options>> = {
  name: 'process',
  about: 'The process runs and is not stopped by a signal.',
  level: 'process',
  options: Options,
  create: () =>
    timed(async ({ process: identity }) => {
      if (identity === undefined) throw new Error('has no process here');
      // The start time too: a pid is used again.
      if (!isAlive(identity)) throw new Error(`process ${identity.pid} does not run`);
      if (readStat(identity.pid)?.state === 'T') throw new Error(`process ${identity.pid} is stopped by a signal`);
      return `process ${identity.pid} runs`;
    }, 'process'),
};
