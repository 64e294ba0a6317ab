/** From an answer of /v1/timeseries to what a chart draws. Pure. */
import type { HistoryAnswer } from '../../../control-plane/src/api/types.ts';
import type { Series } from './history.svelte.ts';

/** The first series; a step in which nothing was recorded is a gap in the line. */
export function seriesOf({ from, stepSeconds, series }: HistoryAnswer): Series {
  const start = Date.parse(from) / 1000;
  const values = series[0]?.values ?? [];
  return { at: values.map((_value, index) => start + index * stepSeconds), values };
}
