/** Named installations: which there are, which one commands speak to. */
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { SwitchboardError } from '../../model/errors.ts';
import { Name } from '../../model/meta.ts';
import { parseAs } from '../../model/parse.ts';
import type { Cli } from '../command.ts';
import {
  ApiUrl,
  changeContexts,
  contextNamed,
  contextsFile,
  readContexts,
  tokenInWords,
  type ContextEntry,
} from '../contexts.ts';
import { format, note, parseFormat, print, type Column } from '../output.ts';
import { environment, isThisMachine } from '../settings.ts';

interface Row {
  readonly name: string;
  readonly current: boolean;
  readonly url: string;
  /** Where it comes from. */
  readonly token: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: '', cell: ({ current }) => (current ? '*' : ' ') },
  { title: 'name', cell: ({ name }) => name },
  { title: 'url', cell: ({ url }) => url },
  { title: 'token', cell: ({ token }) => token },
];

interface TokenFlags {
  tokenFile?: string;
  tokenEnv?: string;
  tokenStdin?: boolean;
}

async function givenToken(given: string | undefined, flags: TokenFlags): Promise<ContextEntry['token']> {
  const ways = [given, flags.tokenFile, flags.tokenEnv, flags.tokenStdin].filter((one) => one !== undefined);
  if (ways.length !== 1)
    throw new SwitchboardError(
      'invalid',
      ways.length === 0 ? 'there is no token' : 'the token is given in several ways',
      { remedy: 'Give one of --token-file FILE, --token-env VARIABLE, --token-stdin or --token TOKEN.' },
    );
  if (flags.tokenFile !== undefined) return { fromFile: resolve(flags.tokenFile) };
  if (flags.tokenEnv !== undefined) return { fromEnv: flags.tokenEnv };
  const token = (given ?? (await text(process.stdin))).trim();
  if (token === '' || /\s/.test(token)) throw new SwitchboardError('invalid', 'the token is empty or has white space');
  return token;
}

/** What goes before the file would make `use` look as if it did nothing. */
function tellWhatGoesBefore(): void {
  for (const name of ['SWITCHBOARD_URL', 'SWITCHBOARD_CONTEXT', 'SWITCHBOARD_DATA'])
    if (environment[name] !== undefined) note(`warning: ${name} is set, which goes before the current context`);
}

async function add(cli: Cli, name: string, flags: TokenFlags & { use?: boolean; force?: boolean }): Promise<void> {
  const file = contextsFile(environment);
  const { url: given, token } = cli.flags();
  parseAs(Name, name, `the name ${name}`);
  if (given === undefined) throw new SwitchboardError('invalid', 'name the address of its API with --url');
  const url = parseAs(ApiUrl, given, '--url');
  if (readContexts(file).all.has(name) && flags.force !== true)
    throw new SwitchboardError('conflict', `there is a context ${name} already`, {
      remedy: 'Take another name, or replace it with --force.',
    });
  const entry: ContextEntry = { url, token: await givenToken(token, flags) };
  if (url.startsWith('http:') && !isThisMachine(url))
    note(`warning: the token goes to ${new URL(url).host} unencrypted; use https:// where others can listen`);
  changeContexts(file, (document) => {
    document.setIn(['contexts', name], document.createNode(entry));
    if (flags.use === true) document.set('current', name);
  });
  print(`context ${name} added${flags.use === true ? ', and is used from now on' : ''}\n`);
  if (flags.use === true) tellWhatGoesBefore();
}

export function contextCommands(cli: Cli): void {
  const context = cli.program
    .command('context')
    .summary('named installations: list, use, add, remove, show')
    .description(
      `Keeps addresses and tokens of installations in ${contextsFile(environment)}. Which one a command speaks to: --url, --data or --context; then SWITCHBOARD_URL, SWITCHBOARD_CONTEXT or SWITCHBOARD_DATA; then the current context; then the data folder of this machine. \`up\`, \`down\` and \`restore\` are about this machine whatever the current context is.`,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard context add prod --url https://switchboard.example.org --token-env PROD_TOKEN\n  switchboard context use prod\n  switchboard --context prod get services\n  switchboard context use --none',
    );

  context
    .command('list')
    .summary('which there are')
    .option('-o, --output <format>', 'table, json, yaml or name', 'table')
    .action(({ output }: { output: string }) => {
      const as = parseFormat(output);
      const { current, all } = readContexts(contextsFile(environment));
      const rows = [...all].map(([name, entry]): Row => ({
        name,
        current: name === current,
        url: entry.url,
        token: tokenInWords(entry),
      }));
      print(rows.length === 0 && as === 'table' ? 'no contexts\n' : format(rows, COLUMNS, ({ name }) => name, as));
    });

  context
    .command('use [name]')
    .summary('speak to this one from now on')
    .option('--none', 'to none of them: the data folder of this machine again')
    .action((name: string | undefined, { none = false }: { none?: boolean }) => {
      const file = contextsFile(environment);
      if ((name === undefined) === !none) throw new SwitchboardError('invalid', 'give a name, or --none');
      changeContexts(file, (document, present) => {
        if (name !== undefined) contextNamed(file, present, name);
        if (name === undefined) document.delete('current');
        else document.set('current', name);
      });
      print(name === undefined ? 'no context is used\n' : `context ${name} is used from now on\n`);
      tellWhatGoesBefore();
    });

  context
    .command('add <name>')
    .summary('name an installation: its --url, and where its token is')
    .option('--token-file <file>', 'the token is in this file')
    .option('--token-env <variable>', 'the token is in this variable')
    .option(
      '--token-stdin',
      'store the token that standard input gives (--token stores it too, and others may see it in the list of processes)',
    )
    .option('--use', 'and use it from now on')
    .option('--force', 'in place of one with this name')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard context add staging --url http://10.0.0.5:8801 --token-file ~/staging.token --use\n  pass staging | switchboard context add staging --url https://staging.example.org --token-stdin',
    )
    .action(async (name: string, flags: TokenFlags & { use?: boolean; force?: boolean }) => {
      await add(cli, name, flags);
    });

  context
    .command('remove <name>')
    .summary('forget an installation')
    .action((name: string) => {
      const file = contextsFile(environment);
      const wasCurrent = readContexts(file).current === name;
      changeContexts(file, (document, present) => {
        contextNamed(file, present, name);
        document.deleteIn(['contexts', name]);
        if (present.current === name) document.delete('current');
      });
      print(`context ${name} removed\n`);
      if (wasCurrent) note('it was the current one: none is used now');
    });

  context
    .command('show [name]')
    .summary('what a command speaks to now, or one of the list')
    .option('-o, --output <format>', 'table, json or yaml', 'table')
    .action((name: string | undefined, { output }: { output: string }) => {
      const file = contextsFile(environment);
      const contexts = readContexts(file);
      const used = name === undefined ? cli.target() : undefined;
      const of = name ?? used?.context;
      const entry = of === undefined ? undefined : contextNamed(file, contexts, of);
      const shown = {
        context: of ?? null,
        url: entry?.url ?? used?.url ?? '',
        ...(entry === undefined ? {} : { token: tokenInWords(entry) }),
        ...(used === undefined ? {} : { by: used.by }),
      };
      const columns: readonly Column<[string, string | null]>[] = [
        { title: 'what', cell: ([what]) => what },
        { title: 'is', cell: ([, is]) => is ?? '-' },
      ];
      const as = parseFormat(output);
      print(
        as === 'json'
          ? `${JSON.stringify(shown, undefined, 2)}\n`
          : format(Object.entries(shown), columns, ([what]) => what, as),
      );
    });
  for (const command of context.commands) command.exitOverride();
}
