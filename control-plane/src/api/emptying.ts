/** When what is open on some instances will have ended: the same estimate for drains and for versions that get no new sessions. */
import { estimateEmpty, type Estimate } from '../telemetry/estimate.ts';
import type { ApiContext } from './context.ts';

/** Of the open sessions of these instances, by the lengths of the service's sessions that ended lately. */
export type Emptying = (service: string, instances: readonly string[]) => Estimate;

/** As of this moment: sessions are looked at once, when somebody asks. */
export function emptyingBy(api: Pick<ApiContext, 'sessions' | 'endedSessions' | 'now'>): Emptying {
  const now = api.now();
  let ages: Map<string, number[]> | undefined;
  let lengths: Map<string, number[]> | undefined;
  return (service, instances) => {
    ages ??= grouped(api.sessions(), (one) => [one.instance ?? '', now - Date.parse(one.startedAt)]);
    lengths ??= grouped(api.endedSessions(), (one) => [one.service, one.durationMs]);
    const open = ages;
    return estimateEmpty(
      instances.flatMap((id) => open.get(id) ?? []),
      lengths.get(service) ?? [],
    );
  };
}

function grouped<T>(items: readonly T[], entry: (item: T) => [key: string, value: number]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const item of items) {
    const [key, value] = entry(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}
