/** Which sessions are asked for, and in which order. Pure. */
import type { EndedSession, Session } from '../../../../control-plane/src/telemetry/session.ts';

export interface SessionRow {
  readonly session: Session | EndedSession;
  /** Its id, or the address where no instance is known at it. */
  readonly instance: string;
  readonly startedMs: number;
  readonly endedMs: number | undefined;
}

/** A list of thousands changes in a few places each second: the others need not be read again. */
const rows = new WeakMap<Session | EndedSession, SessionRow>();

function rowOf(session: Session | EndedSession): SessionRow {
  const row = {
    session,
    instance: session.instance ?? session.upstream,
    startedMs: Date.parse(session.startedAt),
    endedMs: 'endedAt' in session ? Date.parse(session.endedAt) : undefined,
  };
  rows.set(session, row);
  return row;
}

export function rowsOf(sessions: readonly (Session | EndedSession)[]): SessionRow[] {
  return sessions.map((session) => rows.get(session) ?? rowOf(session));
}

export function matching(rows: readonly SessionRow[], text: string): readonly SessionRow[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return rows;
  return rows.filter(({ session, instance }) => {
    const hay =
      `${session.id} ${session.service} ${instance} ${session.client} ${session.path} ${session.userAgent} ${session.gateway} ${session.principal ?? ''}`.toLowerCase();
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
