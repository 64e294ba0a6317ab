/** From an answer of /v1/timeseries to what a chart draws. Pure. */
import type { HistoryAnswer } from '../../../control-plane/src/api/types.ts';
import type { Series } from './history.svelte.ts';

/** A line of a young installation is not squeezed into the last corner of an hour. */
const LEAST_SECONDS = 300;

/**
 * The first series, from where something is known of it; a step in which nothing was recorded is a gap. What this tab has seen since the last
 * finished step (`recent`) goes on where that ends.
 */
export function seriesOf({ from, stepSeconds, series }: HistoryAnswer, recent: Series): Series {
  const start = Date.parse(from) / 1000;
  const values = series[0]?.values ?? [];
  const known = values.findIndex((one) => one !== null);
  const first = Math.max(0, Math.min(known < 0 ? values.length : known, values.length - LEAST_SECONDS / stepSeconds));
  const at = values.map((_value, index) => start + index * stepSeconds);
  const last = at[values.findLastIndex((one) => one !== null)] ?? start;
  const rest = recent.at.findIndex((one) => one >= last + stepSeconds);
  const kept = values.slice(first, values.findLastIndex((one) => one !== null) + 1);
  return {
    at: [...at.slice(first, first + kept.length), ...(rest < 0 ? [] : recent.at.slice(rest))],
    values: [...kept, ...(rest < 0 ? [] : recent.values.slice(rest))],
  };
}
