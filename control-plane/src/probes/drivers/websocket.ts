/** A WebSocket handshake succeeds; with `ping`, a ping is answered as well. */
import { z } from 'zod';
import type { ProbeDriver } from '../probe.ts';
import { openSocket } from '../socket.ts';
import { timed } from '../timed.ts';

const Options = z.strictObject({
  path: z.string().startsWith('/').max(1024).default('/'),
  subprotocol: z.string().min(1).max(256).optional(),
  ping: z.boolean().default(false),
});
type Options = z.infer<typeof Options>;

export const websocketProbe: ProbeDriver<Options> = {
  name: 'websocket',
  about: 'A WebSocket handshake succeeds; with `ping`, a ping is answered too.',
  options: Options,
  create: ({ path, subprotocol, ping }) =>
    timed(async (target, signal, doing) => {
      await using socket = await openSocket(target, { path, subprotocol }, signal, doing);
      if (!ping) return 'answers the WebSocket handshake';
      doing('a pong');
      await socket.pong();
      return 'answers the WebSocket handshake and a ping';
    }),
};
