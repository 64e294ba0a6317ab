/**
 * The one way in of the manager that was before: `/ws?service=NAME`, `?tag=a,b`, `?routing_hint=STRATEGY`, or the same as headers. What they mean
 * is said here once: the translation writes it into Envoy's routes, `explain` reads it. Pure.
 */
import { RE2JS } from 're2js';
import { escapeRegex } from './condition.ts';
import type { FleetService } from './fleet.ts';
import { parameters, type SessionRequest } from './request.ts';
import type { HintedPolicy } from './service.ts';

/** Its path. */
export const ENTRY = '/ws';

type Tags = Readonly<Record<string, string>>;

/**
 * The old manager's tags are words; ours are keys with values. `tier: gold` has the words `gold` and `tier=gold`; a key that is empty or true, such as
 * `gpu: 'true'`, is a word by itself.
 */
export function wordsOf(tags: Tags): string[] {
  return Object.entries(tags).flatMap(([key, value]) => {
    if (value === '' || value === 'true') return [key, `${key}=true`];
    return value === 'false' ? [`${key}=false`] : [value, `${key}=${value}`];
  });
}

export const hasWords = (tags: Tags, words: readonly string[]): boolean => {
  const own = new Set(wordsOf(tags));
  return words.every((word) => own.has(word));
};

/** As they may stand in a URL. */
const forms = (word: string): string[] => {
  const encoded = encodeURIComponent(word);
  return [...new Set([word, encoded, encoded.replaceAll('%20', '+'), encoded.replaceAll('%3D', '=')])];
};

/** RE2 for a list of words that holds none but these, in any order; with `orNone` also for the empty text. */
export function listOf(words: readonly string[], orNone = false): string {
  const any = words.flatMap(forms).map(escapeRegex).join('|');
  const space = String.raw`(?:%20|\+| )*`;
  return String.raw`(?:${space}(?:${any})${space}(?:,|%2[Cc]|$))${orNone ? '*' : '+'}`;
}

/** What the old manager called its strategies, and what they are here; `routing_hint` may also name ours. */
const STRATEGIES: Readonly<Record<HintedPolicy, string>> = {
  'round-robin': 'round[_-]robin',
  random: 'random',
  'least-connections': 'least[_-]connections',
  weighted: 'weighted(?:[_-]random)?',
  hash: 'hash(?:[_-]based)?',
  performance: 'performance(?:[_-]based)?',
};
/** Strategies that say nothing of how an instance is chosen: the tags do, or the service's own levels. */
const ITS_OWN = 'tags?(?:[_-]based)?|(?:multi[_-])?levels?|fallback|auto|default';

export const hintFor = (policy: HintedPolicy): string => `(?i)(?:${STRATEGIES[policy]})`;
export const ANY_HINT = `(?i)(?:${[...Object.values(STRATEGIES), ITS_OWN].join('|')})`;
export const KNOWN_HINTS =
  'round_robin, random, least_connections, weighted_random, hash_based, performance_based, tag_based';

const fits = (regex: string, text: string): boolean => RE2JS.compile(regex).matches(text);

export const isKnownHint = (hint: string): boolean => fits(ANY_HINT, hint);
/** Which of these it means; undefined: none. */
export const hintIn = (hint: string, policies: readonly HintedPolicy[]): HintedPolicy | undefined =>
  policies.find((one) => fits(hintFor(one), hint));
/** Whether what is asked for are some of these, or all. */
export const isListOf = (words: readonly string[], asked: string): boolean =>
  words.length > 0 && fits(listOf(words), asked);

/** A parameter goes before the header of that name; headers may be written with a hyphen. Empty is absent. */
function asked(request: SessionRequest, name: string): string | undefined {
  const [given] = parameters(request.query, name);
  const values = [given, request.headers.get(name), request.headers.get(name.replaceAll('_', '-'))];
  return values.find((value) => value !== undefined && value !== '');
}

export interface Asked {
  readonly service: string | undefined;
  /** As it stands there, such as `a,b`. */
  readonly tags: string | undefined;
  readonly hint: string | undefined;
}

export const askedOf = (request: SessionRequest): Asked => ({
  service: asked(request, 'service'),
  tags: asked(request, 'tag'),
  hint: asked(request, 'routing_hint'),
});

/** A set of tags that clients may ask for, in whole or in part. */
export interface Scope {
  readonly words: readonly string[];
  /** The service whose instances all have them, and nobody else; undefined: instances with them, whosever they are. */
  readonly whole: string | undefined;
}

/** Sets beyond those of one tag and of one instance. Whoever asks for what only a set beyond that would have gets some of its instances. */
const MOST_SCOPES = 256;

const NO_TAGS: Tags = {};
const tagsOf = ({ tags }: FleetService): Tags => tags ?? NO_TAGS;
const key = (words: readonly string[]): string => words.join('\0');
const sorted = (words: readonly string[]): string[] => [...new Set(words)].sort();

/** Of a service and of its instances. */
interface Words {
  readonly service: string;
  readonly own: readonly string[];
  /** The different sets of its instances, sorted. */
  readonly instances: readonly string[][];
}

const kept = new WeakMap<FleetService, Words>();

function wordsIn(service: FleetService): Words {
  const old = kept.get(service);
  if (old !== undefined) return old;
  const sets = new Map<string, string[]>();
  for (const { tags } of service.instances) {
    const words = sorted(wordsOf(tags));
    sets.set(key(words), words);
  }
  const instances = [...sets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, words]) => words);
  const found = { service: service.name, own: sorted(wordsOf(tagsOf(service))), instances };
  kept.set(service, found);
  return found;
}

/** The same text, the same scopes: instances come and go, mostly with the same tags. */
export const scopesKey = (services: readonly FleetService[]): string => JSON.stringify(services.map(wordsIn));

/** Of a service that every instance has, now and later: asked for together with its name, they change nothing. */
export function wordsOfAll(service: FleetService): string[] {
  const { own, instances } = wordsIn(service);
  return own.filter((word) => instances.every((words) => words.includes(word)));
}

/** Every non-empty intersection: first those that one word makes, so that each word has all of its instances. */
function closed(sets: readonly (readonly string[])[]): string[][] {
  const found = new Map(sets.map((words) => [key(words), [...words]]));
  const add = (words: string[]): void => {
    if (words.length > 0) found.set(key(words), words);
  };
  const holders = new Map<string, (readonly string[])[]>();
  for (const words of sets) for (const word of words) holders.set(word, [...(holders.get(word) ?? []), words]);
  for (const [first = [], ...others] of holders.values())
    add(first.filter((word) => others.every((words) => words.includes(word))));
  const most = Math.max(MOST_SCOPES, found.size);
  for (const one of found.values()) {
    for (const other of sets) {
      if (found.size >= most) return [...found.values()];
      add(one.filter((word) => other.includes(word)));
    }
  }
  return [...found.values()];
}

/**
 * Such that the first one whose words hold all that a client asks for has just the instances that it may go to: whoever asks for less is
 * served by more, so the smallest come first.
 */
export function scopesOf(services: readonly FleetService[]): Scope[] {
  const tagged = services
    .map((service) => ({ name: service.name, all: wordsOfAll(service), ...wordsIn(service) }))
    .map(({ name, all, own, instances }) => ({ name, all, sets: [own, ...instances].filter((one) => one.length > 0) }))
    .filter(({ sets }) => sets.length > 0);
  const distinct = new Map(tagged.flatMap(({ sets }) => sets.map((words) => [key(words), words] as const)));
  const holds = (set: readonly string[], words: readonly string[]): boolean =>
    words.every((word) => set.includes(word));
  return closed([...distinct.values()])
    .sort((a, b) => a.length - b.length || (key(a) < key(b) ? -1 : 1))
    .map((words) => {
      const having = tagged.filter(({ sets }) => sets.some((set) => holds(set, words)));
      const [only] = having;
      const whole = having.length === 1 && only !== undefined && holds(only.all, words);
      return { words, whole: whole ? only.name : undefined };
    });
}
