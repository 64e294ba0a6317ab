/** What every metric must do: a verdict with its figures for whatever it is given, in time, and no alarm without evidence. */
import { describe, expect, it } from 'vitest';
import type { LogCount, Metric, MetricInput, VersionFigures } from './metric.ts';

export interface Seen extends Partial<VersionFigures> {
  readonly logs?: LogCount;
}

function figures(version: number, given: Seen): VersionFigures {
  return {
    version,
    attempts: 0,
    failures: 0,
    turnedAway: 0,
    opened: 0,
    brokenEarly: 0,
    handshakes: [],
    probes: 0,
    probeFailures: 0,
    crashes: 0,
    ...given,
  };
}

export function input(canary: Seen, stable: Seen = {}): MetricInput {
  return {
    logsOf: async (version) => (version === 2 ? canary : stable).logs ?? { lines: 0, errors: 0 },
    service: 'weather',
    canary: figures(2, canary),
    stable: figures(1, stable),
    minSample: 20,
    weight: 5,
    falseAlarm: 0.001,
  };
}

export interface MetricKit {
  readonly options: unknown;
  /** `good` must pass and `bad` must fail, each against the same `stable`. */
  readonly stable: Seen;
  readonly good: Seen;
  readonly bad: Seen;
  /** For a metric that asks elsewhere: what is asked is to answer for this case from now on. */
  readonly prepare?: (which: 'good' | 'bad' | 'nothing') => void;
}

export function metricConformance<Options>(metric: Metric<Options>, kit: MetricKit): void {
  const { options, prepare = () => undefined } = kit;
  const measure = metric.create(metric.options.parse(options));
  const read = async (given: MetricInput): ReturnType<typeof measure> => measure(given, AbortSignal.timeout(5_000));

  describe(`metric ${metric.name}`, () => {
    it('passes a version that is as good', async () => {
      prepare('good');
      expect(await read(input(kit.good, kit.stable))).toMatchObject({ verdict: 'pass' });
    });

    it('fails a version that is worse, with the figures', async () => {
      prepare('bad');
      const reading = await read(input(kit.bad, kit.stable));
      expect(reading.verdict).toBe('fail');
      expect(reading.message).toMatch(/\d/);
    });

    it('raises no alarm when nothing was seen', async () => {
      prepare('nothing');
      const { verdict, message } = await read(input({}, {}));
      expect(verdict).not.toBe('fail');
      expect(message).not.toBe('');
    });

    it('refuses an unknown option', () => {
      expect(metric.options.safeParse({ ...(options as object), noSuchOption: 1 }).success).toBe(false);
    });
  });
}
