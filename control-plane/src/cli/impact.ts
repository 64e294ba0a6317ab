/** What a write did or will do, in sentences: the changes, and above all what becomes of open sessions. Pure. */
import type { Impact, WriteChange, WriteResult } from '../model/write.ts';
import { plural } from './format.ts';

/** `no open session is touched`, or what ends and what is drained. `will`: it has not happened yet. */
export function impactSentence(impact: Impact, will: boolean): string {
  const verb = (future: string, present: string): string => (will ? `will ${future}` : present);
  const touched = impact.instances.length;
  const parts: string[] = [];
  if (impact.endsNow > 0) parts.push(`${verb('end', 'ends')} ${plural(impact.endsNow, 'session')} at once`);
  if (impact.drains > 0) {
    const deadline = impact.instances.flatMap((one) => one.deadline ?? []).sort().at(-1);
    const until = deadline === undefined ? '' : `, which go on until they end or until ${deadline}`;
    parts.push(`${verb('drain', 'drains')} ${plural(impact.drains, 'session')} on ${plural(touched, 'instance')}${until}`);
  }
  if (parts.length > 0) return parts.join('; ');
  return touched === 0
    ? 'no open session is touched'
    : `${verb('stop or replace', 'stops or replaces')} ${plural(touched, 'instance')}; no session is open there`;
}

export function changeLine(change: WriteChange, dryRun: boolean): string {
  return `${change.kind.toLowerCase()}/${change.name} ${change.action}${dryRun ? ' (dry run)' : ''}`;
}

/** Everything that a person wants to know of a write that is done. */
export function resultLines(result: WriteResult): string[] {
  const lines = result.changes.map((change) => changeLine(change, result.dryRun));
  const changed = result.changes.some((change) => change.action !== 'unchanged');
  if (changed) lines.push(`impact: ${impactSentence(result.impact, true)}`);
  return lines;
}
