/** Fewest instances at a moment: the policy's least, or more where a schedule holds. */
import { Cron } from 'croner';
import type { Autoscale, ScheduledFloor } from '../model/autoscale.ts';
import type { Issue } from '../model/errors.ts';
import { messageOf } from '../model/errors.ts';
import { durationMs } from '../model/units.ts';

const parsed = new WeakMap<ScheduledFloor, Cron>();

function cronOf(floor: ScheduledFloor): Cron {
  const known = parsed.get(floor);
  if (known !== undefined) return known;
  const cron = new Cron(floor.cron, { timezone: floor.timezone, paused: true });
  parsed.set(floor, cron);
  return cron;
}

/** Whether the floor began less than its time ago. */
function holds(floor: ScheduledFloor, now: number): boolean {
  const length = durationMs(floor.for);
  const begun = cronOf(floor).nextRun(new Date(now - length));
  return begun !== null && begun.getTime() <= now;
}

export function floorAt(policy: Autoscale, now: number): { replicas: number; cron: string | undefined } {
  let found: { replicas: number; cron: string | undefined } = { replicas: policy.min, cron: undefined };
  for (const floor of policy.schedule)
    if (floor.replicas > found.replicas && holds(floor, now)) found = { replicas: floor.replicas, cron: floor.cron };
  return found;
}

/** What is wrong with the schedule, with paths that start at the policy. */
export function scheduleIssues(policy: Autoscale): Issue[] {
  return policy.schedule.flatMap((floor, index) => {
    try {
      return cronOf(floor).nextRun() === null ? [{ path: `schedule.${index}.cron`, message: 'never comes again' }] : [];
    } catch (error) {
      return [{ path: `schedule.${index}.cron`, message: messageOf(error) }];
    }
  });
}
