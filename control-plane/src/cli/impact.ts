/** How a write's outcome is told: what changed, and what it does to open sessions. */
import type { WriteAnswer } from '../api/types.ts';
import { WAITS_FOR, type Impact, type WaitsFor } from '../model/write.ts';
import { confirm } from './confirm.ts';
import { note, print, tint } from './output.ts';

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const WAITING: Readonly<Record<WaitsFor, string>> = {
  promotion: 'until somebody promotes or resumes the rollout',
  autoscaler: 'unless the autoscaler takes their instances away',
  check: 'unless their instance fails what it is asked from now on',
};

export function impactText({ endsNow, drains, instances }: Impact): string {
  if (instances.length === 0) return 'no open session is touched';
  const parts = [`${many(instances.length, 'instance')} will go`];
  if (endsNow > 0) parts.push(`${many(endsNow, 'open session')} will end at once`);
  const sessionsOf = (some: Impact['instances']): number => some.reduce((total, { sessions }) => total + sessions, 0);
  const dated = drains - sessionsOf(instances.filter(({ waitsFor }) => waitsFor !== undefined));
  // The latest of those that end at once is before the others.
  const deadlines = instances.flatMap(({ deadline = [] }) => deadline).sort();
  const first = endsNow > 0 ? deadlines.at(-1) : deadlines[0];
  if (dated > 0) parts.push(`${many(dated, 'open session')} may go on until ${first ?? 'the deadline'} at the soonest`);
  for (const what of WAITS_FOR) {
    const waiting = sessionsOf(instances.filter(({ waitsFor }) => waitsFor === what));
    if (waiting > 0) parts.push(`${many(waiting, 'open session')} may go on ${WAITING[what]}`);
  }
  if (endsNow + drains === 0) parts.push('none has an open session');
  return parts.join('; ');
}

/** Of a write that may end sessions at once. Gives what was said. Errors: as `confirm`. */
export async function confirmedEnds(
  flags: { readonly dryRun?: boolean; readonly yes?: boolean },
  dry: () => Promise<{ readonly impact: Impact }>,
): Promise<string | undefined> {
  if (flags.dryRun === true || flags.yes === true) return undefined;
  const { impact } = await dry();
  if (impact.endsNow === 0) return undefined;
  const text = impactText(impact);
  await confirm(text);
  return text;
}

/** `told`: what the user has read of it already, which is not said again. */
export function tellWrite(answer: WriteAnswer, told?: string): void {
  for (const warning of answer.warnings) note(`warning: ${warning}`);
  for (const change of answer.changes)
    print(`${change.kind.toLowerCase()}/${change.name} ${tint(change.action)}${answer.dryRun ? ' (dry run)' : ''}\n`);
  if (answer.changes.length === 0) note('nothing to change: it is so already');
  const impact = impactText(answer.impact);
  if (answer.impact.instances.length > 0 && impact !== told) note(impact);
  if (answer.acks !== undefined) note(`revision ${answer.revision} runs on ${answer.acks.acked.join(', ')}`);
}
