import { z } from 'zod';
import { SessionEnd } from '../../model/session-end.ts';
import { EndedSession, Session } from '../../telemetry/session.ts';
import { itemsOf, pageOf } from './list.ts';

const counted = {
  unlisted: z
    .int()
    .describe(
      'Sessions that the gateways count and that are not listed yet; less than 0: ended ones that are still listed. Over all services.',
    ),
  settled: z.boolean().describe('False while a gateway may hold sessions that it has not told of yet.'),
};

const sessionPageOf = <T extends z.ZodType>(session: T) => pageOf(session).extend(counted);
export type SessionPage<T> = Readonly<z.infer<ReturnType<typeof sessionPageOf<z.ZodType<T>>>>>;

export const AnySession = z.union([EndedSession, Session]);
export const Sessions = sessionPageOf(AnySession);

export const SessionCount = z.strictObject({
  total: z.int().min(0),
  ...counted,
  by: z.string(),
  groups: z
    .array(z.strictObject({ key: z.string(), count: z.int().min(0) }))
    .readonly()
    .describe('Largest first.'),
});
export type SessionCount = Readonly<z.infer<typeof SessionCount>>;

export const SessionEnds = itemsOf(SessionEnd).extend({ total: z.int().min(0) });
export type SessionEnds = Readonly<z.infer<typeof SessionEnds>>;
