import { z } from 'zod';
import { HistoryAnswer, type HistoryQuery } from '../../history/answer.ts';
import { FINEST } from '../../history/levels.ts';
import { LABELS, METRICS, type LabelName } from '../../history/metrics.ts';
import { STATS } from '../../history/query.ts';
import { SwitchboardError } from '../../model/errors.ts';
import { Duration, durationMs } from '../../model/units.ts';
import { itemsOf } from '../answers/list.ts';
import { MetricView } from '../answers/system.ts';
import { streamOf, type Call, type Endpoint } from '../endpoint.ts';
import { createLatch } from '../latch.ts';
import { sendEvents } from '../sse.ts';

const MOST_METRICS = 16;

const list = (about: string): z.ZodOptional<z.ZodString> => z.string().max(1000).optional().describe(about);
const Time = z.union([z.iso.datetime({ offset: true }), Duration]).optional();

const Selection = z.strictObject({
  metric: z
    .string()
    .min(1)
    .max(1000)
    .describe('One or several, with commas between. /v1/timeseries/metrics lists them.'),
  stat: list('Which statistics: rate, total; avg, max; p50, p90, p95, p99, mean, max, count, distribution.'),
  by: list(`What to tell apart, with commas between: ${LABELS.join(', ')}. Without it all is added up.`),
  service: list('Only these services.'),
  version: list('Only these versions.'),
  instance: list('Only these instances.'),
  gateway: list('Only these gateways.'),
  cause: list('Only these causes.'),
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('At most this many series of each metric.'),
});
type Selection = z.infer<typeof Selection>;

const Query = Selection.extend({
  from: Time.describe('A time, or how long ago: 1h (the default), 7d.'),
  to: Time.describe('A time, or how long ago; default: now.'),
  step: Duration.optional().describe('Such as 10s, 1m, 1h; by default so that there are at most 360 points.'),
});

const split = (text: string): string[] => text.split(',').map((part) => part.trim());

function labelsIn(text: string | undefined): LabelName[] {
  return (text === undefined || text === '' ? [] : split(text)).map((name) => {
    const label = LABELS.find((one) => one === name);
    if (label !== undefined) return label;
    const message = `there is no label ${name}: use ${LABELS.join(', ')}`;
    throw new SwitchboardError('invalid', `query.by: ${message}`, { issues: [{ path: 'query.by', message }] });
  });
}

function selected(selection: Selection): Omit<HistoryQuery, 'from' | 'to' | 'stepMs'> {
  const metrics = [...new Set(split(selection.metric))];
  if (metrics.length > MOST_METRICS) {
    const message = `names more than ${MOST_METRICS} metrics`;
    throw new SwitchboardError('invalid', `query.metric: ${message}`, { issues: [{ path: 'query.metric', message }] });
  }
  const where: Partial<Record<LabelName, string[]>> = {};
  for (const label of LABELS) {
    const values = selection[label];
    if (values !== undefined) where[label] = split(values);
  }
  return {
    metrics,
    by: labelsIn(selection.by),
    where,
    stats: selection.stat === undefined ? undefined : split(selection.stat),
    limit: selection.limit,
  };
}

function timeOf(text: string | undefined, now: number, absent: number): number {
  if (text === undefined) return absent;
  return Duration.safeParse(text).success ? now - durationMs(text) : Date.parse(text);
}

/** Finished slots one after the other: who comes back with the id of the last one gets what it missed. */
function followed(call: Call): Response {
  const { history } = call.api;
  const selection = selected(call.query as Selection);
  const step = FINEST.stepMs;
  const points = (at: number): object => history.query({ ...selection, from: at, to: at + step, stepMs: step });
  // A wrong query is answered before the stream begins.
  points(history.finished());
  const resumed = Number(call.hono.req.header('last-event-id') ?? NaN);
  let last = resumed > 0 && resumed % step === 0 ? resumed : history.finished();
  return sendEvents(streamOf(call), async (sink) => {
    const latch = createLatch();
    const stop = history.subscribe(latch.wake);
    sink.signal.addEventListener('abort', latch.wake, { once: true });
    try {
      while (!sink.signal.aborted) {
        // No further back than the finest ring goes.
        last = Math.max(last, history.finished() - (FINEST.slots - 1) * step);
        while (last < history.finished()) {
          last += step;
          await sink.send('points', points(last), String(last));
        }
        await latch.wait();
      }
    } finally {
      stop();
    }
  });
}

export const timeseries: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/timeseries',
    summary: 'Metrics over time: by service, version, instance, gateway or cause, or all as one',
    query: Query,
    answer: {
      status: 200,
      schema: HistoryAnswer,
      about:
        'Values for each step, null where nothing was recorded (`gaps` says when). 10 s steps are kept for an hour, 1 min for a day, 1 h for 30 days.',
      example: {
        from: '2026-11-25T04:00:00.000Z',
        to: '2026-11-25T04:00:30.000Z',
        stepSeconds: 10,
        series: [
          {
            metric: 'sessions_open',
            unit: 'sessions',
            stat: 'avg',
            labels: { service: 'weather' },
            values: [12, 14, null],
          },
        ],
        distributions: [],
        gaps: [{ from: '2026-11-25T04:00:20.000Z', to: '2026-11-25T04:00:30.000Z' }],
        truncated: 0,
      },
    },
    async handle(call) {
      const { from, to, step, ...selection } = call.query as z.infer<typeof Query>;
      const now = call.api.now();
      return call.api.history.query({
        ...selected(selection),
        from: timeOf(from, now, now - 3_600_000),
        to: timeOf(to, now, now),
        stepMs: step === undefined ? undefined : durationMs(step),
      });
    },
  },
  {
    method: 'get',
    path: '/v1/timeseries/metrics',
    summary: 'Every metric that is kept over time, with unit, help, labels and statistics',
    answer: {
      status: 200,
      schema: itemsOf(MetricView),
      about: 'The list.',
      example: {
        items: [
          {
            name: 'connects',
            kind: 'counter',
            unit: 'sessions',
            help: 'Sessions that were opened.',
            labels: ['service', 'version', 'instance', 'gateway'],
            stats: ['rate', 'total'],
          },
        ],
      },
    },
    handle: async () => ({
      items: METRICS.map(({ name, kind, unit, help, labels }) => ({
        name,
        kind,
        unit,
        help,
        labels,
        stats: STATS[kind],
      })),
    }),
  },
  {
    method: 'get',
    path: '/v1/timeseries/watch',
    summary: 'Each finished ten seconds of metrics as they come (text/event-stream)',
    query: Selection,
    answer: {
      status: 200,
      type: 'text/event-stream',
      about:
        'Events `points`, each like an answer of /v1/timeseries with one step. Last-Event-ID brings what was missed.',
    },
    handle: async (call) => followed(call),
  },
];
