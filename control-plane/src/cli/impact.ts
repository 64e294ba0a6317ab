/** How a write's outcome is told: what changed, and what it does to open sessions. */
import type { WriteAnswer } from '../api/types.ts';
import type { Impact } from '../model/write.ts';
import { note, print, tint } from './output.ts';

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

export function impactText({ endsNow, drains, instances }: Impact): string {
  if (instances.length === 0) return 'no open session is touched';
  const parts = [`${many(instances.length, 'instance')} will go`];
  if (endsNow > 0) parts.push(`${many(endsNow, 'open session')} will end at once`);
  if (drains > 0)
    parts.push(`${many(drains, 'open session')} may go on until ${instances[0]?.deadline ?? 'the deadline'}`);
  if (endsNow + drains === 0) parts.push('none has an open session');
  return parts.join('; ');
}

export function tellWrite(answer: WriteAnswer): void {
  for (const warning of answer.warnings) note(`warning: ${warning}`);
  for (const change of answer.changes)
    print(`${change.kind.toLowerCase()}/${change.name} ${tint(change.action)}${answer.dryRun ? ' (dry run)' : ''}\n`);
  if (answer.changes.length === 0) note('nothing to change: it is so already');
  if (answer.impact.instances.length > 0) note(impactText(answer.impact));
  if (answer.acks !== undefined) note(`revision ${answer.revision} runs on ${answer.acks.acked.join(', ')}`);
}
