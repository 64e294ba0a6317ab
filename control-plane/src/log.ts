/** The one logger factory. Fields have the same names everywhere: service, instance, revision, gateway, requestId, error. */
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { logText } from './log-text.ts';

export type Log = pino.Logger;

export function createLog(level: string, destination?: pino.DestinationStream): Log {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      // Secrets never reach a log, whatever object is handed over.
      redact: {
        paths: [
          'token',
          '*.token',
          'authorization',
          '*.authorization',
          'headers.authorization',
          'env',
          '*.env',
          '*.*.env',
        ],
        censor: '[secret]',
      },
      formatters: { level: (label) => ({ level: label }) },
      // An error's text and stack are not enumerable: without this they would be lost.
      serializers: { error: pino.stdSerializers.err },
    },
    destination ?? pino.destination({ dest: 2, sync: false }),
  );
}

const MOST_LINES = 2_000;
const LONGEST_LINE = 8_192;

interface Sink {
  write(text: string): void;
  /** Before the process ends: what is not written within a moment never will be. */
  end(): Promise<void>;
}

const FLUSHED_MS = 500;

/** A terminal or reader that has gone away ends nothing; nobody is told any more. */
function standardError(): Sink {
  const stream = pino.destination({ dest: 2, sync: false });
  const drop = (): void => {
    // Else it tries for ever to write what is left, while the process ends.
    stream.destroy();
  };
  let gone = false;
  stream.on('error', () => {
    gone = true;
    drop();
  });
  return {
    write(text) {
      if (!gone) stream.write(text);
    },
    async end() {
      if (!gone)
        await Promise.race([
          new Promise<void>((done) => {
            stream.flush(() => {
              done();
            });
          }),
          sleep(FLUSHED_MS),
        ]);
      if (!gone) drop();
      gone = true;
    },
  };
}

const isForPeople = (format: 'auto' | 'text' | 'json'): boolean =>
  format === 'text' || (format === 'auto' && process.stderr.isTTY);

/** Standard error, and the last lines in memory, as JSON, for whoever asks over the API. */
export function logWithMemory(
  format: 'auto' | 'text' | 'json',
  sink = standardError(),
): {
  destination: pino.DestinationStream;
  recent: () => readonly string[];
  end: () => Promise<void>;
} {
  const lines: string[] = [];
  const people = isForPeople(format);
  const colour = process.stderr.isTTY && process.stderr.hasColors();
  return {
    destination: {
      write(text) {
        sink.write(people ? logText(text, colour) : text);
        lines.push(text.trimEnd().slice(0, LONGEST_LINE));
        // In batches: moving all lines for each new one would cost more than logging.
        if (lines.length >= 2 * MOST_LINES) lines.splice(0, MOST_LINES);
      },
    },
    recent: () => lines.slice(-MOST_LINES),
    end: async () => sink.end(),
  };
}
