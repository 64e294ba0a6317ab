import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import { styleText } from 'node:util';
import { SwitchboardError, isError } from '../../model/errors.ts';
import type { ApiClient } from '../../api/client.ts';
import type { ApplyFlags, WriteFlags } from '../../api/queries.ts';
import type { WriteAnswer } from '../../api/types.ts';
import type { Cli } from '../command.ts';
import { confirm } from '../confirm.ts';
import { inTheirFiles, readDocuments, type Documents } from '../documents.ts';
import { EXIT, Exit, exitCodeOf, tellError } from '../exit.ts';
import { impactText } from '../impact.ts';
import { note, print } from '../output.ts';
import { tellAndWait, waitOptions, writeFlags, type WaitFlags } from '../waiting.ts';

interface Identified {
  kind?: string;
  name?: string;
}

async function present(client: ApiClient, { kind, name = '' }: Identified): Promise<object | undefined> {
  try {
    const found = kind === 'Route' ? await client.route(name) : await client.service(name);
    return { kind: found.kind, name: found.name, labels: found.labels, spec: found.spec };
  } catch (error) {
    if (isError(error, 'not_found')) return undefined;
    throw error;
  }
}

function colour(line: string): string {
  if (line.startsWith('+') && !line.startsWith('+++')) return styleText('green', line);
  return line.startsWith('-') && !line.startsWith('---') ? styleText('red', line) : line;
}

/** Sets a dotted path; names may hold no dots, which holds for all fields of a spec. */
function setPath(target: Record<string, unknown>, path: string, value: unknown): void {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  let place = target;
  for (const part of parts) {
    place[part] = { ...(place[part] as object | undefined) };
    place = place[part] as Record<string, unknown>;
  }
  if (value === undefined) Reflect.deleteProperty(place, last);
  else place[last] = value;
}

async function send(client: ApiClient, documents: Documents, flags: ApplyFlags & WriteFlags): Promise<WriteAnswer> {
  return client.apply(documents.all, flags).catch((error: unknown) => {
    throw inTheirFiles(error, documents);
  });
}

interface ApplyOptions extends WaitFlags {
  file: string[];
  dryRun?: boolean;
  note?: string;
  set?: string;
  prune?: boolean;
  takeOver?: boolean;
  yes?: boolean;
}

/** What is deleted is asked for first. */
async function confirmed({ changes, impact }: WriteAnswer): Promise<void> {
  const gone = changes
    .filter(({ action }) => action === 'deleted')
    .map(({ kind, name }) => `${kind.toLowerCase()}/${name}`);
  if (gone.length === 0) return;
  await confirm(
    `${gone.join(', ')} ${gone.length === 1 ? 'is' : 'are'} not in the files any more and will be deleted; ${impactText(impact)}`,
  );
}

export function applyCommands(cli: Cli): void {
  const apply = cli.program
    .command('apply')
    .summary('create or change resources from files')
    .description('Creates or changes what the files say, all or nothing. Applying the same again changes nothing.')
    .requiredOption('-f, --file <path...>', 'a file, a folder, or - for standard input')
    .option('--dry-run', 'tell what would happen, change nothing');
  waitOptions(apply)
    .option('--note <text>', 'kept with the change')
    .option('--set <name>', 'the resources belong to this set: those of one source')
    .option('--prune', 'delete what belongs to the set and is not in the files any more')
    .option('--take-over', 'also take resources that belong to another set')
    .option('-y, --yes', 'do not ask before something is deleted')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard apply -f my-agent.yaml --ready\n  switchboard apply -f services/ --dry-run\n  switchboard apply -f services/ --set team-a --prune --dry-run',
    )
    .action(async (options: ApplyOptions) => {
      const documents = await readDocuments(options.file);
      const { dryRun = false, note: text, set, prune = false, takeOver = false } = options;
      if (set === undefined && (prune || takeOver))
        throw new SwitchboardError('invalid', `--${prune ? 'prune' : 'take-over'} needs --set`, {
          remedy:
            'Name the source with --set NAME, first without --prune: only what was applied with it is ever deleted.',
        });
      const write = writeFlags(options);
      const flags = { ...(set === undefined ? {} : { set, prune, takeOver }) };
      const client = cli.client();
      if (prune && !dryRun && options.yes !== true)
        await confirmed(await send(client, documents, { ...flags, dryRun: true }));
      const answer = await send(client, documents, {
        ...flags,
        ...write,
        ...(text === undefined ? {} : { note: text }),
      });
      await tellAndWait(cli, answer, options, { abortFails: true });
    });

  cli.program
    .command('diff')
    .summary('show what applying files would change')
    .description(
      'Shows what `apply` would change, and what it would do to open sessions. Exit code 0: nothing, 1: something, 2 and more: an error.',
    )
    .requiredOption('-f, --file <path...>', 'a file, a folder, or - for standard input')
    .addHelpText('after', '\nExample:\n  switchboard diff -f my-agent.yaml')
    .action(async (options: { file: string[] }) => {
      const client = cli.client();
      const documents = await readDocuments(options.file);
      // 1 means that something differs: a failure needs another code.
      const result = await send(client, documents, { dryRun: true }).catch((error: unknown) => {
        if (exitCodeOf(error) !== EXIT.failure) throw error;
        note(tellError(error).trimEnd());
        throw new Exit(EXIT.usage);
      });
      let differs = false;
      for (const change of result.changes) {
        if (change.action === 'unchanged') continue;
        differs = true;
        const before = await present(client, change);
        const after = structuredClone(before ?? { kind: change.kind, name: change.name }) as Record<string, unknown>;
        for (const one of change.diff) setPath(after, one.path, one.after);
        const name = `${change.kind.toLowerCase()}/${change.name}`;
        const patch = createTwoFilesPatch(
          `${name} now`,
          `${name} new`,
          before === undefined ? '' : stringify(before),
          stringify(after),
        );
        print(patch.split('\n').slice(1).map(colour).join('\n'));
      }
      if (result.impact.instances.length > 0) note(impactText(result.impact));
      if (differs) throw new Exit(EXIT.failure);
    });
}
