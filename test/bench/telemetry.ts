/** What history costs the control plane: 300 instances, 10,000 sessions, in the real file; and how fast it answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteSeries } from '../../control-plane/src/history/drivers/sqlite.ts';
import { METRICS, type Labels } from '../../control-plane/src/history/metrics.ts';
import { queryHistory } from '../../control-plane/src/history/query.ts';
import { createRecorder } from '../../control-plane/src/history/recorder.ts';
import { createRings } from '../../control-plane/src/history/rings.ts';
import { bounded, quantile, type Figure } from './figure.ts';

const INSTANCES = 300;
const SESSIONS = 10_000;
/** Opened and closed each second. */
const CHURN = 50;

export async function telemetry(quick: boolean): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sb-bench-history-'));
  try {
    const places = Array.from({ length: INSTANCES }, (_, n): Labels => ({
      service: `s-${n % 100}`,
      version: '1',
      instance: `s-${n % 100}-${n}`,
      gateway: 'gateway-1',
    }));
    const at = (n: number): Labels => places[n % INSTANCES] ?? {};
    let now = Date.UTC(2026, 0, 1);
    const store = sqliteSeries(join(folder, 'history.db'));
    const rings = createRings(store, now);
    const recorder = createRecorder({
      rings,
      now: () => now,
      look({ observe }) {
        const open = new Map<Labels, number>();
        for (let n = 0; n < SESSIONS; n += 1) open.set(at(n), (open.get(at(n)) ?? 0) + 1);
        for (const [labels, count] of open) observe('sessions_open', labels, count);
        for (const labels of places) {
          observe('instances_ready', labels, 1);
          observe('cpu', labels, 0.2);
          observe('memory', labels, 2e8);
        }
      },
    });
    const seconds = quick ? 600 : 4_200;
    const writes: number[] = [];
    const before = process.cpuUsage();
    for (let second = 0; second < seconds; second += 1) {
      // Each session is told of every ten seconds, each instance is checked every five.
      for (let n = 0; n < SESSIONS / 10; n += 1) {
        recorder.add('bytes_received', at(n), 500);
        recorder.add('bytes_sent', at(n), 900);
      }
      for (let n = 0; n < CHURN; n += 1) {
        recorder.add('connects', at(n + second), 1);
        recorder.observe('handshake_latency', at(n + second), 2 + (n % 40));
        recorder.add('session_ends', at(n + second), 1);
        recorder.observe('session_length', at(n + second), 10 * n);
      }
      for (let n = 0; n < INSTANCES / 5; n += 1)
        recorder.observe('probe_latency', at(n * 5 + (second % 5)), 1 + (n % 9));
      now += 1000;
      const start = performance.now();
      recorder.tick();
      if (now % 10_000 === 0) writes.push(performance.now() - start);
    }
    const used = process.cpuUsage(before);
    const share = ((used.user + used.system) / 1e6 / seconds) * 100;
    const asked: number[] = [];
    for (let n = 0; n < 100; n += 1) {
      const metric = METRICS[n % METRICS.length]?.name ?? 'connects';
      const start = performance.now();
      queryHistory(
        rings,
        { metrics: [metric], by: n % 2 === 0 ? ['service'] : [], where: {}, from: now - 3_600_000, to: now, limit: 50 },
        now,
        now,
      );
      asked.push(performance.now() - start);
    }
    recorder.close();
    store.close();
    return [
      bounded('history at 300 instances and 10,000 sessions', '% of a core', share, [share], 2),
      bounded('writing ten seconds of history, p50', 'ms', quantile(writes, 0.5), writes, 10),
      bounded('an hour of a metric by service, p50', 'ms', quantile(asked, 0.5), asked, 20),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
