/** Metrics for an OpenTelemetry collector, where the settings name one. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics/create.ts';
import { otlpRequest } from '../metrics/otlp.ts';
import { startOtlpSender } from '../metrics/otlp-sender.ts';
import type { Present } from '../metrics/present.ts';
import { SwitchboardError } from '../model/errors.ts';
import type { OtlpSettings } from '../model/otlp.ts';
import { durationMs } from '../model/units.ts';
import { VERSION } from '../model/release.ts';

/** Error: `invalid`, naming the header whose reference can't be read; never what it holds. */
export function headersOf(
  headers: OtlpSettings['headers'],
  { environment, baseFolder }: Pick<Config, 'environment' | 'baseFolder'>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, { fromEnv, fromFile }] of Object.entries(headers)) {
    const refuse = (reason: string): never => {
      throw new SwitchboardError('invalid', `bad settings: telemetry.otlp.headers.${name}: ${reason}`);
    };
    let text = '';
    if (fromEnv !== undefined) text = environment[fromEnv] ?? refuse(`there is no environment variable ${fromEnv}`);
    if (fromFile !== undefined) {
      try {
        text = readFileSync(resolve(baseFolder, fromFile), 'utf8').trim();
      } catch (error) {
        const { code = 'error' } = error as NodeJS.ErrnoException;
        refuse(`cannot read the file ${fromFile} (${code})`);
      }
    }
    // fetch would tell such a value in its error.
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) refuse('is no value of a header: it has a line break or such in it');
    result[name] = text;
  }
  return result;
}

/** Does nothing without the setting. Returns how to end it. */
export function startOtlp(parts: {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly present: () => Present;
  readonly startedAt: string;
  /** Of this installation, where a collector has several. */
  readonly instance: string;
  readonly now: () => number;
  readonly log: Log;
}): () => Promise<void> {
  const { config, metrics, present, now, log } = parts;
  const settings = config.telemetry.otlp;
  if (settings === undefined) return async () => undefined;
  // At the start, so that what is missing is known then.
  headersOf(settings.headers, config);
  const url = new URL(settings.endpoint);
  if (!url.pathname.endsWith('/v1/metrics')) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/metrics`;
  const sender = startOtlpSender({
    url,
    intervalMs: durationMs(settings.interval),
    headers: () => headersOf(settings.headers, config),
    read: async () =>
      otlpRequest(await metrics.read(present()), {
        version: VERSION,
        instance: parts.instance,
        startedAt: Date.parse(parts.startedAt),
        now: now(),
      }),
    log,
  });
  return async () => sender.close();
}
