/**
 * The hash chain of events: each one's hash is over the one before it and its own content, so that a stored event that was changed, taken out or
 * put in is noticed. The record of the chain keeps its newest link, or the newest events could be cut off unseen, and the last that retention
 * has deleted, which the oldest kept one is checked against. Who can write to the store can make the chain anew: a head that was noted
 * elsewhere shows that. Pure.
 */
import { hash } from 'node:crypto';
import type { AuditReport, ChainLink, Event } from '../model/event.ts';
import type { Change, Json, StoredRecord } from '../store/store.ts';
import { CHAIN_KEY, EVENT_PREFIX } from './keys.ts';

export interface Chain {
  /** Of the newest event. */
  readonly head: ChainLink;
  /** Of the newest event that was deleted for its age; number 0: none was. */
  readonly floor: ChainLink;
  /** Of the record in the store; 0: there is none yet. */
  readonly revision: number;
}

const ORIGIN: ChainLink = { number: 0, hash: '' };
export const EMPTY_CHAIN: Chain = { head: ORIGIN, floor: ORIGIN, revision: 0 };
const MOST_PROBLEMS = 20;

type Stored = Readonly<Record<string, unknown>>;

/** Over the JSON text as it was written: a store keeps the order of members, and sorting them anew would cost five times as much. */
function linkAfter(before: ChainLink, event: Stored): ChainLink {
  const number = before.number + 1;
  return { number, hash: hash('sha256', `${before.hash} ${number} ${JSON.stringify(event)}`, 'hex') };
}

export function chainOf(record: Pick<StoredRecord, 'value' | 'revision'> | undefined): Chain {
  if (record === undefined) return EMPTY_CHAIN;
  return { ...(record.value as unknown as Pick<Chain, 'head' | 'floor'>), revision: record.revision };
}

/** The changes with every new event linked to the one before it; `deleted`: the events that go with them. */
export function sealed(
  chain: Chain,
  changes: readonly Change[],
  deleted: readonly Event[],
): { changes: Change[]; expect: { key: string; revision: number }[] } {
  let { head, floor } = chain;
  for (const { chain: link } of deleted) if (link !== undefined && link.number > floor.number) floor = link;
  const linked = changes.map((change): Change => {
    if (change.op !== 'put' || !change.key.startsWith(EVENT_PREFIX)) return change;
    head = linkAfter(head, change.value as Stored);
    return { ...change, value: { ...(change.value as Record<string, Json>), chain: { ...head } } };
  });
  if (head === chain.head && floor === chain.floor) return { changes: linked, expect: [] };
  linked.push({ op: 'put', key: CHAIN_KEY, value: { head: { ...head }, floor: { ...floor } } });
  // Of two control planes that write at once one begins again, on the other's newest link.
  return { changes: linked, expect: [{ key: CHAIN_KEY, revision: chain.revision }] };
}

const inWords = (from: number, to: number): string =>
  from === to ? `event number ${from} is missing` : `events number ${from} to ${to} are missing`;

/** `records`: all of the store at one revision. `noted`: a head of earlier that was kept elsewhere. */
export function verify(records: readonly StoredRecord[], noted?: ChainLink): AuditReport {
  const record = records.find(({ key }) => key === CHAIN_KEY);
  const { head, floor } = chainOf(record);
  const all = records.filter(({ key }) => key.startsWith(EVENT_PREFIX));
  const events = all
    .map(({ value }) => value as unknown as Event)
    .filter((event) => event.chain !== undefined)
    .sort((a, b) => (a.chain?.number ?? 0) - (b.chain?.number ?? 0));
  const problems: { event: string | null; message: string }[] = [];
  const problem = (event: string | null, message: string): void => {
    problems.push({ event, message });
  };
  if (record === undefined && events.length > 0) problem(null, 'the record of the chain is missing');
  for (const { key, value, created } of all)
    if (record !== undefined && created >= record.created && (value as unknown as Event).chain === undefined)
      problem(key.slice(EVENT_PREFIX.length), 'was put in, or its hash was taken out');
  let before =
    record === undefined ? { ...(events[0]?.chain ?? ORIGIN), number: (events[0]?.chain?.number ?? 1) - 1 } : floor;
  const byNumber = new Map<number, ChainLink>([[floor.number, floor]]);
  for (const { chain: link = ORIGIN, ...event } of events) {
    byNumber.set(link.number, link);
    if (link.number <= before.number) {
      problem(event.id, `has the number ${link.number}, which another one has or had`);
      continue;
    }
    const whole = link.number === before.number + 1;
    if (!whole) problem(null, inWords(before.number + 1, link.number - 1));
    // What followed on a missing one can't be told; on the first of a chain without a record neither.
    if (whole && record !== undefined && linkAfter(before, event).hash !== link.hash)
      problem(event.id, `does not fit its hash: it was changed, or the one before it was (number ${link.number})`);
    before = link;
  }
  if (record !== undefined) {
    if (before.number < head.number) problem(null, `${inWords(before.number + 1, head.number)} at the end`);
    else if (before.number > head.number || before.hash !== head.hash)
      problem(null, 'the newest event is not the one that the record of the chain names');
  }
  if (noted !== undefined) {
    const there = byNumber.get(noted.number);
    if (noted.number > head.number)
      problem(null, `the chain ends at number ${head.number}, before the one that was noted`);
    else if (noted.number < floor.number)
      problem(
        null,
        `number ${noted.number}, which was noted, is no longer kept: only what came after number ${floor.number} is`,
      );
    else if (there?.hash !== noted.hash)
      problem(null, `number ${noted.number} has another hash than the one that was noted`);
  }
  return {
    ok: problems.length === 0,
    checked: events.length,
    unsealed: all.length - events.length,
    head,
    floor,
    problems: problems.slice(0, MOST_PROBLEMS),
    problemCount: problems.length,
  };
}
