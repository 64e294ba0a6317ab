/**
 * Gives memory back to the system once a burst of work is over. Reading Envoy's API, starting, and hundreds of writes leave tens of
 * megabytes of garbage and half-empty pages, which V8 alone would keep for hours. Needs node's --expose-gc; does nothing without.
 */
import { performance } from 'node:perf_hooks';

const AFTER_START_MS = 10_000;
const LOOK_MS = 20_000;
/** Share of the time in which there was something to do. */
const AT_REST = 0.05;
const GROWN = 1.1;
/** Clearing stops all else for about a millisecond a megabyte: a larger heap is left to V8. */
const LARGEST_HEAP_BYTES = 128 * 1024 * 1024;

export function clearMemoryAtRest(): void {
  const { gc } = globalThis;
  if (gc === undefined) return;
  let cleared = Infinity;
  const clear = (): void => {
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    cleared = process.memoryUsage.rss();
  };
  setTimeout(clear, AFTER_START_MS).unref();
  let before = performance.eventLoopUtilization();
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > AT_REST || process.memoryUsage.rss() < cleared * GROWN) return;
    if (process.memoryUsage().heapTotal <= LARGEST_HEAP_BYTES) clear();
  }, LOOK_MS).unref();
}
