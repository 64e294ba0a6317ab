/** What may come next on a command line that is being typed: from the program itself, and names from the control plane. The first half is pure. */
import type { Command, Option } from 'commander';
import type { ApiClient } from '../api/client.ts';
import { kindOf } from './kinds.ts';
import { SORTS } from './top-rows.ts';

export interface Candidate {
  readonly text: string;
  readonly about?: string;
}

/** `running`: a service or one of its instances. */
const NAMES = ['running', 'service', 'instance', 'route', 'gateway', 'session', 'version', 'context'] as const;
type NameKind = (typeof NAMES)[number];

/** `file`: what only the shell can know. `of`: the service whose versions they are. */
export type Wanted =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | { readonly kind: 'file' }
  | { readonly kind: NameKind; readonly of?: string };

export interface Line {
  readonly wanted: Wanted;
  /** What was typed of the global options, which say whom to ask. */
  readonly global: Readonly<Record<string, string>>;
}

const fixed = (...words: string[]): Wanted => ({ kind: 'words', words: words.map((text) => ({ text })) });
const nothing = fixed();

/** Arguments and options by name, where the name says what belongs there. */
const BY_NAME: Readonly<Record<string, Wanted>> = {
  service: { kind: 'service' },
  node: { kind: 'gateway' },
  instance: { kind: 'instance' },
  session: { kind: 'session' },
  context: { kind: 'context' },
  file: { kind: 'file' },
  path: { kind: 'file' },
  folder: { kind: 'file' },
  data: { kind: 'file' },
  shell: fixed('bash', 'zsh', 'fish'),
  type: fixed('cds', 'eds', 'lds', 'rds', 'ecds', 'sds'),
  sort: fixed(...SORTS),
  output: fixed('table', 'wide', 'json', 'yaml', 'name'),
  policy: fixed('wait', 'notify', 'close', 'notify-then-close'),
  log: fixed('auto', 'text', 'json'),
  'log-level': fixed('debug', 'info', 'warn', 'error'),
};
const KINDS_OF: Readonly<Record<string, readonly string[]>> = {
  get: ['services', 'instances', 'routes', 'gateways', 'sessions', 'events', 'versions'],
  describe: ['service', 'instance', 'route', 'gateway'],
  delete: ['service', 'instance', 'route'],
  drain: ['instance', 'version', 'service', 'gateway'],
  undrain: ['instance', 'version', 'service', 'gateway'],
};
const VERSION_ARGUMENTS = ['version', 'from', 'to', 'number'];

function ofOption(option: Option, given: readonly string[]): Wanted {
  const long = option.long?.slice(2) ?? '';
  if (long === 'to') return { kind: 'version', ...ofService(given) };
  const value = /<([\w-]+)[.\]>]/.exec(option.flags)?.[1] ?? '';
  return BY_NAME[long] ?? BY_NAME[value] ?? nothing;
}

const ofService = ([service]: readonly string[]): { of?: string } => (service === undefined ? {} : { of: service });

function ofKind(kind: string): Wanted {
  const singular = kindOf(kind);
  if (singular === 'version') return { kind: 'service' };
  const known = NAMES.find((one) => one === singular);
  return known === undefined ? nothing : { kind: known };
}

/** `given`: the arguments before. */
function ofArgument(path: readonly string[], command: Command, given: readonly string[]): Wanted {
  const list = command.registeredArguments;
  const argument = list[given.length] ?? (list.at(-1)?.variadic === true ? list.at(-1) : undefined);
  if (argument === undefined) return nothing;
  const name = argument.name();
  if (name === 'kind') return fixed(...(KINDS_OF[path[0] ?? ''] ?? []));
  if (name === 'name') {
    if (path[0] === 'context') return path[1] === 'add' ? nothing : { kind: 'context' };
    return list[0]?.name() === 'kind' ? ofKind(given[0] ?? '') : { kind: 'running' };
  }
  if (VERSION_ARGUMENTS.includes(name)) {
    if (name !== 'number') return { kind: 'version', ...ofService(given) };
    return given[0] === 'version' ? { kind: 'version', ...ofService(given.slice(1)) } : nothing;
  }
  return BY_NAME[name] ?? nothing;
}

function flagsOf(chain: readonly Command[]): Candidate[] {
  return chain.flatMap((command) =>
    command.options.flatMap(({ long, description, hidden }) =>
      long == null || hidden ? [] : [{ text: long, about: description }],
    ),
  );
}

/** `words`: after the program's name, the last one being typed. */
export function whatIsWanted(program: Command, words: readonly string[]): Line {
  const chain = [program];
  const given: string[] = [];
  const global: Record<string, string> = {};
  let pending: Option | undefined;
  for (const word of words.slice(0, -1)) {
    const command = chain.at(-1) ?? program;
    if (pending !== undefined) {
      if (program.options.includes(pending)) global[pending.attributeName()] = word;
      pending = undefined;
    } else if (word === '--') return { wanted: { kind: 'file' }, global };
    else if (word.startsWith('-')) {
      const option = chain.flatMap((one) => one.options).find(({ long, short }) => long === word || short === word);
      pending = option?.required === true ? option : undefined;
    } else {
      const below = given.length > 0 ? undefined : command.commands.find((one) => one.name() === word);
      if (below === undefined) given.push(word);
      // What may stand after `help` is what may stand without.
      else if (word !== 'help') chain.push(below);
    }
  }
  const command = chain.at(-1) ?? program;
  const path = chain.slice(1).map((one) => one.name());
  const current = words.at(-1) ?? '';
  if (pending !== undefined) return { wanted: ofOption(pending, given), global };
  if (current.startsWith('-')) return { wanted: { kind: 'words', words: flagsOf(chain.toReversed()) }, global };
  const below = command.commands.filter((one) => !one.name().startsWith('__'));
  if (below.length > 0 && given.length === 0) {
    const list = below.map((one) => ({ text: one.name(), about: one.summary() }));
    return { wanted: { kind: 'words', words: list }, global };
  }
  return { wanted: ofArgument(path, command, given), global };
}

/** Names of what there is. Rejects where the control plane can't be asked. */
export async function namesOf(client: ApiClient, kind: NameKind, of: string | undefined): Promise<Candidate[]> {
  switch (kind) {
    case 'service':
      return (await client.services()).items.map(({ name, status }) => ({ text: name, about: status.state }));
    case 'instance':
      return (await client.instances()).items.map(({ id, state }) => ({ text: id, about: state }));
    case 'running':
      return [...(await namesOf(client, 'service', of)), ...(await namesOf(client, 'instance', of))];
    case 'route':
      return (await client.routes()).items.map(({ name }) => ({ text: name }));
    case 'gateway':
      return (await client.gateways()).items.map(({ node }) => ({ text: node }));
    case 'session':
      return (await client.sessions({ limit: 200 })).items.map(({ id, service, client: from }) => ({
        text: id,
        about: `${service} ${from}`,
      }));
    case 'version':
      if (of === undefined) return [];
      return (await client.versions(of)).items.map(({ number, note }) => ({ text: String(number), about: note }));
    case 'context':
      return [];
  }
}
