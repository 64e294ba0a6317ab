/** Which sessions are asked for, in which order, with the instance that holds each. Pure. */
import type { InstanceView, Session } from '../../../../control-plane/src/api/types.ts';

export interface SessionRow {
  readonly session: Session;
  /** Its id, or the address where no instance is known at it. */
  readonly instance: string;
  readonly known: boolean;
  readonly startedMs: number;
}

export function rowsOf(sessions: readonly Session[], instances: readonly InstanceView[]): SessionRow[] {
  const byAddress = new Map<string, string>(
    instances.flatMap((one): (readonly [string, string])[] =>
      one.address === undefined ? [] : [[`${one.address.host}:${one.address.port}`, one.id] as const],
    ),
  );
  return sessions.map((session) => {
    const id = byAddress.get(session.upstream);
    return {
      session,
      instance: id ?? session.upstream,
      known: id !== undefined,
      startedMs: Date.parse(session.startedAt),
    };
  });
}

export function matching(rows: readonly SessionRow[], text: string): readonly SessionRow[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return rows;
  return rows.filter(({ session, instance }) => {
    const hay =
      `${session.id} ${session.service} ${instance} ${session.client} ${session.path} ${session.userAgent} ${session.gateway}`.toLowerCase();
    return words.every((word) => hay.includes(word));
  });
}

const ORDERS: Readonly<Record<string, (a: SessionRow, b: SessionRow) => number>> = {
  age: (a, b) => b.startedMs - a.startedMs,
  received: (a, b) => a.session.bytesReceived - b.session.bytesReceived,
  sent: (a, b) => a.session.bytesSent - b.session.bytesSent,
  service: (a, b) => a.session.service.localeCompare(b.session.service),
  instance: (a, b) => a.instance.localeCompare(b.instance),
};

/** `-age` is the other way round. */
export function ordered(rows: readonly SessionRow[], sort: string): readonly SessionRow[] {
  const back = sort.startsWith('-');
  const order = ORDERS[back ? sort.slice(1) : sort];
  if (order === undefined) return rows;
  return [...rows].sort((a, b) => (back ? order(b, a) : order(a, b)));
}
