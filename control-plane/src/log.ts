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
