/**
 * What is open, on disk: so that the next control plane knows it at once, with why each session is where it is, and need not wait until Envoy has told
 * of all of them. One line of JSON an event, appended; made anew when most of it is past. A crash of this process loses the last
 * moments' ends at most, and a session that was let in is written before Envoy hears of it: so what is read again is never too few at services
 * that ask first. A crash of the machine ends Envoy and all sessions too.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Session } from './session.ts';

/** Let in, and maybe a session by now. */
export interface Admitted {
  readonly id: string;
  readonly service: string;
  /** Of the client, without a port. */
  readonly address: string;
}

export interface Left {
  /** The Envoy that all of it is about; empty: nothing is known. */
  readonly process: string;
  readonly sessions: readonly Session[];
  readonly onTheWay: readonly Admitted[];
  /** Whoever wrote it knew of all sessions. */
  readonly whole: boolean;
}

export interface SessionJournal {
  readonly left: Left;
  /** From now on it is about this Envoy, and what it has open; `whole`: that is all. */
  begin(process: string, whole: boolean): void;
  /** All of its sessions are known. */
  whole(): void;
  /** On disk when it returns. */
  admitted(one: Admitted): void;
  opened(session: Session): void;
  ended(id: string): void;
  /** One that was let in is no session, and will not be. */
  refused(id: string): void;
  close(): void;
}

interface Line {
  readonly process?: string;
  readonly whole?: true;
  readonly admitted?: Admitted;
  readonly opened?: Session;
  readonly ended?: string;
}

const FLUSH_MS = 50;
/** Of sessions that are written in one turn of the event loop, when it is made anew. */
const AT_ONCE = 500;
const FEWEST_LINES = 2_000;
/** Whoever was let in so long ago is a session, or never will be. */
const ARRIVES_MS = 60_000;

export interface JournalOptions {
  readonly open: () => readonly Session[];
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

function read(file: string): Left {
  const sessions = new Map<string, Session>();
  const onTheWay = new Map<string, Admitted>();
  let process = '';
  let whole = false;
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // There is none, or it can't be read: nothing is known.
  }
  for (const line of text.split('\n')) {
    let one: Line;
    try {
      one = JSON.parse(line) as Line;
    } catch {
      // The last one, half written.
      continue;
    }
    if (one.process !== undefined) process = one.process;
    if (one.whole === true) whole = true;
    if (one.admitted !== undefined) onTheWay.set(one.admitted.id, one.admitted);
    if (one.opened !== undefined) {
      onTheWay.delete(one.opened.id);
      sessions.set(one.opened.id, one.opened);
    }
    if (one.ended !== undefined) {
      onTheWay.delete(one.ended);
      sessions.delete(one.ended);
    }
  }
  return { process, whole, sessions: [...sessions.values()], onTheWay: [...onTheWay.values()] };
}

export function openSessionJournal(file: string, { open, now, onError }: JournalOptions): SessionJournal {
  const left = read(file);
  let descriptor: number | undefined;
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let lines = 0;
  let isWhole = false;
  let process = '';
  let renewAt = 0;
  const onTheWay = new Map<string, Admitted & { readonly until: number }>();
  /** Lines since the one that is being made began. */
  let since: string[] | undefined;
  let round = 0;

  function fail(error: unknown): void {
    onError(error);
    // Half a journal would be believed.
    try {
      if (descriptor !== undefined) ftruncateSync(descriptor, 0);
    } catch {
      // Then it can't be written at all.
    }
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0 || descriptor === undefined) return;
    const text = `${waiting.join('\n')}\n`;
    waiting = [];
    try {
      writeSync(descriptor, text);
    } catch (error) {
      fail(error);
    }
  }

  function write(line: Line): void {
    if (process === '') return;
    const text = JSON.stringify(line);
    waiting.push(text);
    since?.push(text);
    lines += 1;
    timer ??= setTimeout(flush, FLUSH_MS).unref();
    if (lines > renewAt && since === undefined) void anew();
  }

  async function anew(): Promise<void> {
    flush();
    round += 1;
    const mine = round;
    const later: string[] = [];
    since = later;
    const sessions = open();
    const present = now();
    for (const [id, { until, ...admitted }] of onTheWay) {
      if (until < present) onTheWay.delete(id);
      else later.push(JSON.stringify({ admitted } satisfies Line));
    }
    let next: number | undefined;
    try {
      next = openSync(`${file}.new`, 'w', 0o600);
      writeSync(next, `${JSON.stringify({ process })}\n`);
      for (let at = 0; at < sessions.length; at += AT_ONCE) {
        const part = sessions.slice(at, at + AT_ONCE).map((opened) => `${JSON.stringify({ opened })}\n`);
        writeSync(next, part.join(''));
        await nextTurn();
        if (mine !== round) {
          closeSync(next);
          return;
        }
      }
      if (isWhole) later.unshift(JSON.stringify({ whole: true } satisfies Line));
      writeSync(next, later.map((line) => `${line}\n`).join(''));
      renameSync(`${file}.new`, file);
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = next;
      lines = sessions.length + later.length;
      renewAt = Math.max(FEWEST_LINES, 3 * lines);
      waiting = [];
    } catch (error) {
      if (next !== undefined && next !== descriptor) closeSync(next);
      fail(error);
    }
    since = undefined;
  }

  return {
    left,
    begin(next, whole) {
      if (next === process || next === '') return;
      process = next;
      isWhole = whole;
      try {
        // What is known of the same Envoy stays readable until all is written anew.
        if (descriptor === undefined && next === left.process) descriptor = openSync(file, 'a', 0o600);
      } catch (error) {
        onError(error);
      }
      void anew();
    },
    whole() {
      if (isWhole) return;
      isWhole = true;
      write({ whole: true });
    },
    admitted(one) {
      onTheWay.set(one.id, { ...one, until: now() + ARRIVES_MS });
      write({ admitted: one });
      flush();
    },
    opened(session) {
      onTheWay.delete(session.id);
      write({ opened: session });
    },
    ended(id) {
      onTheWay.delete(id);
      write({ ended: id });
    },
    refused(id) {
      if (onTheWay.delete(id)) write({ ended: id });
    },
    close() {
      round += 1;
      flush();
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
      process = '';
    },
  };
}
