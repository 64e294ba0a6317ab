/** Every metric against the kit; those that ask elsewhere against a real HTTP server. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { input, metricConformance } from '../conformance.ts';
import { connectSuccess } from './connect-success.ts';
import { crashes } from './crashes.ts';
import { earlyEnds } from './early-ends.ts';
import { handshakeLatency } from './handshake-latency.ts';
import { logErrors } from './log-errors.ts';
import { probeFailures } from './probe-failures.ts';
import { prometheus } from './prometheus.ts';
import { turnedAway } from './turned-away.ts';
import { webhook } from './webhook.ts';

metricConformance(connectSuccess, {
  options: {},
  stable: { attempts: 1000, failures: 2 },
  good: { attempts: 50, failures: 0 },
  bad: { attempts: 50, failures: 10 },
});
metricConformance(turnedAway, {
  options: {},
  stable: { turnedAway: 50, opened: 950 },
  good: { turnedAway: 4, opened: 46 },
  bad: { turnedAway: 50, opened: 0 },
});
metricConformance(earlyEnds, {
  options: {},
  stable: { opened: 1000, brokenEarly: 3 },
  good: { opened: 50, brokenEarly: 1 },
  bad: { opened: 50, brokenEarly: 12 },
});
metricConformance(handshakeLatency, {
  options: { p99: 100 },
  stable: {
    handshakes: [
      { upToMs: 10, count: 900 },
      { upToMs: 50, count: 100 },
    ],
  },
  good: { handshakes: [{ upToMs: 10, count: 50 }] },
  bad: { handshakes: [{ upToMs: 1000, count: 50 }] },
});
metricConformance(crashes, { options: {}, stable: {}, good: { crashes: 1 }, bad: { crashes: 2 } });
metricConformance(probeFailures, {
  options: {},
  stable: { probes: 100, probeFailures: 0 },
  good: { probes: 50, probeFailures: 1 },
  bad: { probes: 50, probeFailures: 20 },
});
metricConformance(logErrors, {
  options: {},
  stable: { logs: { lines: 10_000, errors: 100 } },
  good: { logs: { lines: 1_000, errors: 20 } },
  bad: { logs: { lines: 1_000, errors: 400 } },
});

type Answer = (request: IncomingMessage, body: string) => { status?: number; text: string };
let answer: Answer = () => ({ text: '{}' });
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (part: Buffer) => (body += part.toString()));
  request.on('end', () => {
    const { status = 200, text } = answer(request, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(() => server.close());

const vector = (...values: string[]): string =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) },
  });

metricConformance(prometheus, {
  options: { url, query: 'errors{service="{service}",version="{version}"}', max: 5 },
  stable: {},
  good: {},
  bad: {},
  prepare: (which) => {
    answer = (request) => {
      const asked = new URL(request.url ?? '', url).searchParams.get('query');
      if (asked !== 'errors{service="weather",version="2"}') return { status: 400, text: '{}' };
      return { text: which === 'nothing' ? vector() : vector(which === 'good' ? '4' : '6') };
    };
  },
});
metricConformance(webhook, {
  options: { url },
  stable: {},
  good: { attempts: 30 },
  bad: { attempts: 30, failures: 30 },
  prepare: () => {
    answer = (_request, body) => {
      const { canary } = JSON.parse(body) as { canary: { attempts: number; failures: number } };
      const verdict = canary.attempts === 0 ? 'waiting' : canary.failures > 0 ? 'fail' : 'pass';
      return { text: JSON.stringify({ verdict, message: `${canary.failures} of ${canary.attempts}` }) };
    };
  },
});

describe('who is turned away', () => {
  const measure = turnedAway.create({ tolerance: 0.05 });
  const verdict = async (...given: Parameters<typeof input>): Promise<string> =>
    (await measure(input(...given), AbortSignal.timeout(2_000))).verdict;

  it('is no fault of a version that lets in its share of the others', async () => {
    expect(await verdict({ turnedAway: 300, opened: 50 }, { turnedAway: 0, opened: 950 })).toBe('pass');
    expect(await verdict({ turnedAway: 300, opened: 20 }, { turnedAway: 0, opened: 950 })).toBe('fail');
  });

  it('is no fault of a new version if the old one does the same', async () => {
    expect(await verdict({ turnedAway: 30, opened: 20 }, { turnedAway: 600, opened: 400 })).toBe('pass');
  });
});

describe('what is asked elsewhere', () => {
  const ask = async (given: Answer): Promise<{ verdict: string; message: string }> => {
    answer = given;
    const measure = prometheus.create({ url, query: 'up', max: 1 });
    return measure(input({}), AbortSignal.timeout(2_000));
  };

  it.each([
    ['an error', () => ({ status: 503, text: 'no' }), /answered 503/],
    ['what is not JSON', () => ({ text: '<html>' }), /not JSON/],
    ['another shape', () => ({ text: '{"status":"success"}' }), /not that of an instant query/],
    ['two series', () => ({ text: vector('1', '2') }), /2 series/],
    ['no number', () => ({ text: vector('NaN') }), /gave NaN/],
  ])('is inconclusive for %s', async (_name, given: Answer, message) => {
    expect(await ask(given)).toMatchObject({
      verdict: 'inconclusive',
      message: expect.stringMatching(message) as string,
    });
  });

  it('is inconclusive when nobody answers', async () => {
    const measure = webhook.create({ url: 'http://127.0.0.1:9' });
    expect(await measure(input({}), AbortSignal.timeout(2_000))).toMatchObject({ verdict: 'inconclusive' });
  });

  it('refuses options that can never decide', () => {
    expect(prometheus.options.safeParse({ url, query: 'up' }).success).toBe(false);
    expect(prometheus.options.safeParse({ url: 'ftp://x', query: 'up', max: 1 }).success).toBe(false);
  });
});
