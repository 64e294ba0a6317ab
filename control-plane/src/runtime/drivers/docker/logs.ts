/**
 * A container's log from the engine. Its two streams come in one connection, in frames: a byte for the stream, three of nothing,
 * four for the length. Each line starts with the time at which the engine got it, which is how a broken connection is gone on with.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { LogLine } from '../../../model/log-line.ts';
import { lastState, shownText } from '../../../model/shown-text.ts';

const HEADER = 8;
const LONGEST_LINE = 64 * 1024;
const LOOK_MS = 300;

type Source = AsyncIterable<Buffer> & { destroy?: () => void };

/** Whole lines of both streams, with their time. The text after the last newline counts as a line at the end. */
export async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<LogLine> {
  let bytes: Buffer = Buffer.alloc(0);
  const rest: Record<LogLine['stream'], string> = { stdout: '', stderr: '' };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  for await (const part of source) {
    bytes = bytes.length === 0 ? part : Buffer.concat([bytes, part]);
    while (bytes.length >= HEADER) {
      const length = bytes.readUInt32BE(4);
      if (bytes.length < HEADER + length) break;
      const stream = bytes[0] === 2 ? 'stderr' : 'stdout';
      const text = rest[stream] + decoders[stream].decode(bytes.subarray(HEADER, HEADER + length), { stream: true });
      bytes = bytes.subarray(HEADER + length);
      const lines = text.split('\n');
      rest[stream] = (lines.pop() ?? '').slice(0, LONGEST_LINE);
      for (const line of lines) yield lineOf(stream, line);
    }
  }
  for (const stream of ['stdout', 'stderr'] as const) if (rest[stream] !== '') yield lineOf(stream, rest[stream]);
}

function lineOf(stream: LogLine['stream'], line: string): LogLine {
  const space = line.indexOf(' ');
  const time = Date.parse(line.slice(0, space));
  if (space < 0 || Number.isNaN(time)) return { at: null, stream, text: line.slice(0, LONGEST_LINE) };
  return {
    at: new Date(time).toISOString(),
    stream,
    text: lastState(line.slice(space + 1)).slice(0, LONGEST_LINE),
  };
}

export async function lastWords(docker: Docker, container: string, count: number): Promise<string[]> {
  try {
    const lines: LogLine[] = [];
    for await (const line of linesOf(await open(docker, container, { tail: count, follow: false }))) lines.push(line);
    const errors = lines.filter((line) => line.stream === 'stderr');
    return (errors.length > 0 ? errors : lines).map((line) => shownText(line.text));
  } catch {
    return [];
  }
}

async function open(
  docker: Docker,
  container: string,
  { tail, follow, since }: { tail?: number; follow: boolean; since?: number },
): Promise<Source> {
  const query = {
    stdout: true,
    stderr: true,
    timestamps: true,
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { since }),
  };
  if (follow) return (await docker.getContainer(container).logs({ ...query, follow: true })) as unknown as Source;
  const whole: Buffer = await docker.getContainer(container).logs({ ...query, follow: false });
  return (async function* () {
    yield whole;
  })();
}

/** How many lines were given that the engine, asked for the second of the newest of them, gives again. */
interface Place {
  second: number;
  given: number;
}

function advance(place: Place, line: LogLine): void {
  const second = line.at === null ? place.second : Math.floor(Date.parse(line.at) / 1000);
  if (second > place.second) {
    place.second = second;
    place.given = 0;
  }
  if (second === place.second) place.given += 1;
}

/**
 * `nameOf` gives the container by name. While following, a connection that breaks is made again at the same line, and a
 * container that takes the place of an ended one is followed from its start.
 */
export async function* readLogs(
  docker: Docker,
  name: string,
  options: { tail: number; follow: boolean; signal: AbortSignal },
): AsyncGenerator<LogLine> {
  const { tail, follow, signal } = options;
  let following: string | undefined;
  /** Has ended, and its log was read to the end. */
  let finished: string | undefined;
  let place: Record<LogLine['stream'], Place> = fresh();
  let first = true;
  while (!signal.aborted) {
    try {
      const { Id, State } = await docker.getContainer(name).inspect();
      if (Id === finished) {
        await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      const again = Id === following;
      if (!again) place = fresh();
      following = Id;
      const since = Math.min(place.stdout.second, place.stderr.second);
      const source = await open(docker, Id, {
        follow,
        ...(first ? { tail } : again ? { since: Math.max(0, since) } : {}),
      });
      const skip: Record<LogLine['stream'], Place> = again
        ? { stdout: { ...place.stdout }, stderr: { ...place.stderr } }
        : fresh();
      first = false;
      const stop = (): void => {
        source.destroy?.();
      };
      signal.addEventListener('abort', stop, { once: true });
      try {
        for await (const line of linesOf(source)) {
          if (isGiven(skip[line.stream], line)) continue;
          advance(place[line.stream], line);
          yield line;
        }
        if (!State.Running) finished = Id;
      } finally {
        signal.removeEventListener('abort', stop);
      }
    } catch (error) {
      // No container yet, or no engine for now: what comes is still wanted.
      if (isAborted(signal)) return;
      if (!follow) {
        if ((error as { statusCode?: number }).statusCode === 404) return;
        throw error;
      }
    }
    if (!follow) return;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

function fresh(): Record<LogLine['stream'], Place> {
  return { stdout: { second: -1, given: 0 }, stderr: { second: -1, given: 0 } };
}

/** True for a line that comes a second time; counts down what is left to be passed over. */
function isGiven(skip: Place, line: LogLine): boolean {
  const second = line.at === null ? skip.second : Math.floor(Date.parse(line.at) / 1000);
  if (second < skip.second) return true;
  if (second > skip.second || skip.given === 0) return false;
  skip.given -= 1;
  return true;
}

/** Asked anew: it may have been aborted while something was awaited. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
