/** The application answers: a MyAgent server greets each connection with a `system.connected` event. */
import { z } from 'zod';
import type { ProbeDriver } from '../probe.ts';
import { openSocket } from '../socket.ts';
import { timed } from '../timed.ts';

const Options = z.strictObject({ path: z.string().startsWith('/').max(1024).default('/') });
type Options = z.infer<typeof Options>;

function eventOf(text: string): string | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null && 'event' in message && typeof message.event === 'string'
      ? message.event
      : undefined;
  } catch {
    return undefined;
  }
}

export const myagentProbe: ProbeDriver<Options> = {
  name: 'myagent',
  about: 'A MyAgent server greets a new connection with `system.connected`.',
  level: 'application',
  options: Options,
  create: ({ path }) =>
    timed(async (target, signal, doing) => {
      await using socket = await openSocket(target, { path }, signal, doing);
      doing('system.connected', 'application');
      const text = await socket.message();
      const event = eventOf(text);
      if (event !== 'system.connected')
        throw new Error(`the first message is ${event ?? 'no MyAgent event'}, not system.connected`);
      return 'greets with system.connected';
    }),
};
