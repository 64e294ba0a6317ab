/**
 * Named installations in the user's configuration folder, after the model of kubectl's contexts. A token is best a reference to a file or a
 * variable; one that is stored is never shown. A file that can't be understood is left as it is.
 */
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { isMap, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { Name } from '../model/meta.ts';
import { issuesOf } from '../model/parse.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** An address of an API: no credentials in it, since it is shown. */
export const ApiUrl = z
  .url({ protocol: /^https?$/, error: 'must be a URL that starts with http:// or https://' })
  .refine((text) => {
    const { username = '', password = '', search = '', hash = '' } = URL.parse(text) ?? {};
    return `${username}${password}${search}${hash}` === '';
  }, 'must have no credentials, query or fragment');

const Entry = z.strictObject({
  url: ApiUrl,
  token: z.union([
    z.string().min(1),
    z.strictObject({ fromFile: z.string().min(1) }),
    z.strictObject({ fromEnv: z.string().min(1) }),
  ]),
});
export type ContextEntry = z.infer<typeof Entry>;

const File = z.strictObject({
  /** The one that is used where nothing else is named. */
  current: Name.nullish(),
  contexts: z.record(Name, Entry).nullish(),
});

export interface Contexts {
  readonly current: string | undefined;
  readonly all: ReadonlyMap<string, ContextEntry>;
}

export function contextsFile(environment: Environment): string {
  const named = environment['XDG_CONFIG_HOME'];
  const home = environment['HOME'] ?? homedir();
  // The standard wants relative paths passed over.
  const folder = named !== undefined && isAbsolute(named) ? named : join(home, '.config');
  return join(folder, 'switchboard', 'contexts.yaml');
}

function damaged(file: string, why: string): SwitchboardError {
  return new SwitchboardError('invalid', `${file} can not be understood: ${why}`, {
    remedy: 'Mend it, or move it away; it is left as it is until then.',
  });
}

function readText(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const mode = statSync(file).mode & 0o777;
    if (platform() !== 'win32' && (mode & 0o077) !== 0)
      throw new SwitchboardError(
        'forbidden',
        `others on this machine may look into ${file}, which holds tokens: its mode is ${mode.toString(8).padStart(4, '0')}`,
        { remedy: `chmod 600 ${file}` },
      );
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SwitchboardError) throw error;
    throw new SwitchboardError('invalid', `cannot read ${file}: ${messageOf(error)}`);
  }
}

function understood(file: string, text: string): { document: Document; contexts: Contexts } {
  const document = parseDocument(text);
  const [error] = document.errors;
  // A message of the parser shows the line, in which a token may stand.
  if (error !== undefined) throw damaged(file, `line ${error.linePos?.[0].line ?? '?'} is no YAML (${error.code})`);
  const result = File.safeParse(document.toJS() ?? {});
  if (!result.success)
    throw damaged(
      file,
      issuesOf(result.error, '')
        .map(({ path, message }) => `${path}: ${message}`)
        .join('; '),
    );
  const { current, contexts } = result.data;
  return { document, contexts: { current: current ?? undefined, all: new Map(Object.entries(contexts ?? {})) } };
}

/** Errors: `invalid` for a damaged file, `forbidden` for one that others can read. */
export function readContexts(file: string): Contexts {
  return understood(file, readText(file) ?? '').contexts;
}

/** Error: `not_found`, with the names that there are. */
export function contextNamed(file: string, { all }: Contexts, name: string): ContextEntry {
  const found = all.get(name);
  if (found !== undefined) return found;
  throw new SwitchboardError(
    'not_found',
    `there is no context ${name} in ${file}${all.size === 0 ? '' : `: there is ${[...all.keys()].join(', ')}`}`,
    { remedy: `Add it: switchboard context add ${name} --url URL --token-file FILE` },
  );
}

/** What is written besides stays, comments too. Another's change in between is not lost: this one is made again on top of it. */
export function changeContexts(file: string, change: (document: Document, present: Contexts) => void): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  for (;;) {
    const before = readText(file);
    const { document, contexts } = understood(file, before ?? '');
    if (!isMap(document.contents)) document.contents = document.createNode({});
    change(document, contexts);
    const draft = `${file}.${process.pid}`;
    try {
      writeFileSync(draft, document.toString(), { mode: 0o600, flush: true });
      if (readText(file) !== before) continue;
      // The file may be a link into somebody's own repository.
      renameSync(draft, before === undefined ? file : realpathSync(file));
      return;
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

/** Where it comes from; never the token itself. */
export function tokenInWords({ token }: ContextEntry): string {
  if (typeof token === 'string') return 'stored';
  return 'fromFile' in token ? `file ${token.fromFile}` : `variable ${token.fromEnv}`;
}

/** Error: `unauthenticated` when what is referred to is not there. */
export function tokenOf(name: string, { token }: ContextEntry, environment: Environment): string {
  const missing = (why: string): SwitchboardError =>
    new SwitchboardError('unauthenticated', `context ${name} takes its token from ${why}`);
  if (typeof token === 'string') return token;
  if ('fromEnv' in token) {
    const value = environment[token.fromEnv]?.trim() ?? '';
    if (value === '') throw missing(`the variable ${token.fromEnv}, which is not set`);
    return value;
  }
  let text: string;
  try {
    text = readFileSync(token.fromFile, 'utf8').trim();
  } catch (error) {
    throw missing(`${token.fromFile}, which can not be read: ${messageOf(error)}`);
  }
  if (text === '') throw missing(`${token.fromFile}, which is empty`);
  return text;
}
