/**
 * One call of a client, still free of gRPC: who it is, whether it may, whether it asks too much; then its messages are the events of
 * stream.ts. A client that does not read is not written to; a call that grows old is ended when nothing is on its way.
 */
import { messageOf } from '../model/errors.ts';
import type { Timer } from './pacer.ts';
import type { Budget, Owner } from './budget.ts';
import type { Encoded } from './response-bytes.ts';
import type { TypeUrl } from './snapshot.ts';
import type { Output, Send } from './events.ts';
import type { Stream } from './stream.ts';
import { HEALTH_PROBE } from './types.ts';
import type { Wire, WireNode } from './wire.ts';

export type FailureCode =
  'INVALID_ARGUMENT' | 'PERMISSION_DENIED' | 'RESOURCE_EXHAUSTED' | 'UNAVAILABLE' | 'DEADLINE_EXCEEDED';

export interface Failure {
  readonly code: FailureCode;
  readonly details: string;
}

/** The call, seen from here. */
export interface Link {
  /** False: do not write again before `drained`. `read`: it has left us. */
  write(message: Encoded, read: () => void): boolean;
  /** Without a failure: it ended well. */
  end(failure?: Failure): void;
  /** Now, without the words that would wait behind what is not read. */
  cut(): void;
}

export interface ConnectionLimits {
  /** Requests of one call: how many a second on average, and how many at once. */
  readonly requestsPerSecond: number;
  readonly requestsAtOnce: number;
  /** A call that says nothing for so long is ended. */
  readonly firstRequestMs: number;
  /** Calls are ended after about so long, so that Envoys spread over the control planes; 0: never. */
  readonly ageMs: number;
  /** How much longer a call may live while an answer is out. */
  readonly graceMs: number;
}

export interface ConnectionOptions {
  readonly link: Link;
  readonly wire: Wire;
  /** The one type that this service serves; undefined: the aggregated service. */
  readonly only: TypeUrl | undefined;
  readonly limits: ConnectionLimits;
  /** Shared by all connections. */
  readonly budget: Budget;
  readonly clock: () => number;
  readonly timer: Timer;
  /** From 0 to 1. */
  readonly random: () => number;
  /** A stream for this node, or why there is none. */
  readonly open: (node: WireNode) => Stream | Failure;
  /** After each event: what was written and noticed. */
  readonly after: (connection: Connection, output: Output) => void;
  readonly closed: (connection: Connection, failure: Failure | undefined) => void;
}

export interface Connection {
  /** Undefined before the first request. */
  readonly node: () => WireNode | undefined;
  readonly stream: () => Stream | undefined;
  message(message: object): void;
  /** Something happened to its stream. */
  handle(output: Output): void;
  drained(): void;
  /** The other side, or the server, has ended it. */
  close(failure?: Failure): void;
}

const isFailure = (opened: Stream | Failure): opened is Failure => 'code' in opened;

export function openConnection(options: ConnectionOptions): Connection {
  const { link, wire, only, limits, budget, clock, timer, random, open, after, closed } = options;
  let node: WireNode | undefined;
  let stream: Stream | undefined;
  let isClosed = false;
  let isOld = false;
  let tokens = limits.requestsAtOnce;
  let tokensAt = clock();
  /** Made, but not written yet. */
  const outbox: Send[] = [];
  let mayWrite = true;
  const cancels = new Map<'first' | 'age' | 'tick', () => void>();

  function later(what: 'first' | 'age' | 'tick', ms: number, run: () => void): void {
    cancels.get(what)?.();
    cancels.set(what, timer(ms, run));
  }

  function fail(code: FailureCode, details: string): void {
    close({ code, details });
  }

  function close(failure?: Failure): void {
    if (isClosed) return;
    isClosed = true;
    for (const cancel of cancels.values()) cancel();
    cancels.clear();
    outbox.length = 0;
    link.end(failure);
    budget.leave(owner);
    closed(connection, failure);
  }

  function isFlooding(): boolean {
    const at = clock();
    tokens = Math.min(limits.requestsAtOnce, tokens + ((at - tokensAt) / 1000) * limits.requestsPerSecond);
    tokensAt = at;
    tokens -= 1;
    return tokens < 0;
  }

  function age(): void {
    isOld = true;
    if (stream === undefined || stream.isIdle()) close();
    else
      later('age', limits.graceMs, () => {
        close();
      });
  }

  function start(given: WireNode | undefined): Stream | undefined {
    if (given === undefined || given.id === '') {
      fail('INVALID_ARGUMENT', 'the first request has no node.id');
      return undefined;
    }
    try {
      const opened = open(given);
      if (isFailure(opened)) {
        close(opened);
        return undefined;
      }
      node = given;
      stream = opened;
      cancels.get('first')?.();
      // A fifth more or less, so that those who came together do not go together.
      if (limits.ageMs > 0) later('age', limits.ageMs * (0.8 + 0.4 * random()), age);
      return stream;
    } catch (error) {
      fail('UNAVAILABLE', messageOf(error));
      return undefined;
    }
  }

  /** False: the call is over. */
  function flush(): boolean {
    try {
      for (let send = outbox[0]; mayWrite && send !== undefined; send = outbox[0]) {
        const encoded = wire.response(send);
        const bytes = encoded.byteLength;
        if (!budget.take(owner, bytes)) break;
        outbox.shift();
        mayWrite = link.write(encoded, () => {
          budget.give(owner, bytes);
        });
      }
    } catch (error) {
      fail('UNAVAILABLE', messageOf(error));
      return false;
    }
    if (outbox.length > 0 || !mayWrite) stream?.writable(false);
    return true;
  }

  const owner: Owner = {
    resume() {
      if (!isClosed && flush() && stream !== undefined && outbox.length === 0 && mayWrite)
        handle(stream.writable(true));
    },
    tooSlow(ms) {
      fail(
        'RESOURCE_EXHAUSTED',
        `has not read what it was sent for ${Math.round(ms)} ms, and others wait for the memory`,
      );
      link.cut();
    },
  };

  function handle(output: Output): void {
    if (isClosed || stream === undefined) return;
    outbox.push(...output.sends);
    if (!flush()) return;
    after(connection, output);
    const deadline = stream.deadline();
    if (deadline === undefined) cancels.get('tick')?.();
    else
      later('tick', Math.max(1, deadline - clock()), () => {
        if (stream !== undefined) handle(stream.tick());
      });
    if (isOld && stream.isIdle()) close();
  }

  const connection: Connection = {
    node: () => node,
    stream: () => stream,
    message(message) {
      if (isClosed) return;
      if (isFlooding()) {
        fail('RESOURCE_EXHAUSTED', `more than ${limits.requestsPerSecond} requests a second`);
        return;
      }
      const read = wire.request(message);
      const type = read.request.type === '' ? only : read.request.type;
      if (type === undefined) {
        fail('INVALID_ARGUMENT', 'the request has no type_url');
        return;
      }
      if (only !== undefined && type !== only) {
        fail('INVALID_ARGUMENT', `this service serves ${only}, not ${type}`);
        return;
      }
      if (type === HEALTH_PROBE && (node === undefined || only === undefined)) return;
      if (node !== undefined && read.node !== undefined && read.node.id !== '' && read.node.id !== node.id) {
        fail('INVALID_ARGUMENT', `the node of this stream is ${node.id}, not ${read.node.id}`);
        return;
      }
      const ready = stream ?? start(read.node);
      if (ready !== undefined) handle(ready.request({ ...read.request, type }));
    },
    handle,
    drained() {
      mayWrite = true;
      owner.resume();
    },
    close,
  };
  later('first', limits.firstRequestMs, () => {
    fail('DEADLINE_EXCEEDED', `no request for ${limits.firstRequestMs} ms`);
  });
  return connection;
}
