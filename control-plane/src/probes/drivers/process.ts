/** The process runs and is not stopped by a signal. Only for instances that a runtime has started on this machine. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ProbeDriver } from '../probe.ts';
import { timed } from '../timed.ts';

const Options = z.strictObject({});

function stateOf(pid: number): string {
  if (process.platform !== 'linux') {
    process.kill(pid, 0);
    return 'R';
  }
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3);
}

export const processProbe: ProbeDriver<z.infer<typeof Options>> = {
  name: 'process',
  about: 'The process runs and is not stopped by a signal.',
  options: Options,
  create: () =>
    timed(async ({ process: identity }) => {
      if (identity === undefined) throw new Error('has no process here');
      let state: string;
      try {
        state = stateOf(identity.pid);
      } catch {
        throw new Error(`process ${identity.pid} does not run`);
      }
      if (state === 'Z') throw new Error(`process ${identity.pid} has ended`);
      if (state === 'T') throw new Error(`process ${identity.pid} is stopped by a signal`);
      return `process ${identity.pid} runs`;
    }),
};
