/** The one logger factory. Fields have the same names everywhere: service, instance, revision, gateway, requestId, error. */
import pino from 'pino';

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

function standardError(): (text: string) => void {
  const stream = pino.destination({ dest: 2, sync: false });
  return (text) => {
    stream.write(text);
  };
}

/** Standard error, and the last lines in memory for whoever asks over the API. */
export function logWithMemory(write = standardError()): {
  destination: pino.DestinationStream;
  recent: () => readonly string[];
} {
  const lines: string[] = [];
  return {
    destination: {
      write(text) {
        write(text);
        lines.push(text.trimEnd().slice(0, LONGEST_LINE));
        // In batches: moving all lines for each new one would cost more than logging.
        if (lines.length >= 2 * MOST_LINES) lines.splice(0, MOST_LINES);
      },
    },
    recent: () => lines.slice(-MOST_LINES),
  };
}
