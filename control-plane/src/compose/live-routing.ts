/** Keeps what Envoy is told in step with live signals: who is full at once, the weights of live policies at a steady pace. */
import type { SessionTable } from '../telemetry/sessions.ts';

const WEIGHTS_MS = 5_000;
/** Changes of sessions are told at once, but at most this often: who is full matters to the next session. */
const CAPACITY_MS = 50;

export function followSignals(sessions: SessionTable, refresh: (what: 'capacity' | 'weights') => void): () => void {
  let soon: NodeJS.Timeout | undefined;
  let last = -Infinity;
  const stop = sessions.subscribe(() => {
    soon ??= setTimeout(
      () => {
        soon = undefined;
        last = performance.now();
        refresh('capacity');
      },
      Math.max(0, last + CAPACITY_MS - performance.now()),
    );
  });
  const weights = setInterval(() => {
    refresh('weights');
  }, WEIGHTS_MS);
  weights.unref();
  return () => {
    stop();
    clearTimeout(soon);
    clearInterval(weights);
  };
}
