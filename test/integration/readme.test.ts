/** README.md line by line: every command that it tells people to type runs, in both languages and in its order, against one gateway. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { runCli, startCli, type CliResult } from '../support/cli.ts';
import { repository, startWorld, type World } from '../support/world.ts';

const readme = readFileSync(join(repository, 'README.md'), 'utf8');
/** Lines of the `sh` blocks, without their remarks, and what stands within the text as a whole command. */
const all = [...readme.matchAll(/^```sh\n(.*?)^```/gms)]
  .flatMap(([, block = '']) => block.split('\n'))
  .concat(
    [...readme.matchAll(/`((?:(?:npm run switchboard --|switchboard|events|gateway) )[^`]+)`/g)].map(
      ([, command = '']) => command,
    ),
  )
  .map((line) => line.replace(/ +# .*$/, '').trim())
  .filter((line) => line !== '');
/** What both languages have runs once. */
const lines = [...new Set(all)];

/** Of npm itself; other tests run what they start. */
const SCRIPTS = ['npm start', 'npm stop', 'npm test'];

/** As a shell takes it apart. Error: what only a shell can do. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => {
    const word = single ?? double ?? bare ?? '';
    if (bare !== undefined && /[|;&$`<>]/.test(bare)) throw new Error(`${line}: ${bare} needs a shell`);
    return word;
  });
}

/** What stands after `switchboard`. Within the text it is left out where a line before has it. */
const commandOf = (line: string): string => line.replace(/^(npm run switchboard --|switchboard) /, '');

let world: World;

interface Special {
  /** How its line begins, after `switchboard`. */
  readonly begins: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** It goes on until it is interrupted; it is, once it has said this. */
  readonly until?: RegExp;
  /** What stands in the README for what only this world can know. */
  readonly instead?: (words: readonly string[]) => Promise<string[]> | string[];
  readonly code?: number;
  /** What must be so first. */
  readonly first?: () => Promise<unknown>;
}

const firstInstance = async (): Promise<string> => {
  const { items } = await world.client.instances({ service: 'my-agent' });
  const [one] = items.filter(({ state }) => state === 'ready' || state === 'draining');
  if (one === undefined) throw new Error('my-agent has no instance');
  return one.id;
};
let drained = '';
const withInstance = async (words: readonly string[]): Promise<string[]> => {
  if (words[0] === 'drain') drained = await firstInstance();
  return words.map((word) => (/^my-agent-\w+$/.test(word) ? drained : word));
};

const SPECIAL: readonly Special[] = [
  { begins: 'get services -w', until: /my-agent/ },
  { begins: 'logs my-agent -f', until: /\n/ },
  { begins: '--url https://HOST:8801 --token "$TOKEN" run --service remote', until: /registered as/, instead: asNode },
  { begins: 'context add prod', environment: { PROD_TOKEN: 'sb_of_another_installation' } },
  { begins: 'drain instance', instead: withInstance },
  { begins: 'undrain instance', instead: withInstance },
  { begins: 'drain version', instead: async (words) => withVersion(words) },
  { begins: 'rollout status', first: async () => aNewVersion() },
  { begins: 'autoscale status', first: async () => autoscaled() },
  { begins: 'events verify --head @heads.txt', first: async () => keepHead() },
  { begins: 'events head >> heads.txt', instead: (words) => words.slice(0, 2) },
  {
    begins: 'gateway certificate NAME',
    instead: () => ['gateway', 'certificate', 'far', '--out', join(world.folder, 'far')],
  },
  { begins: 'gateway revoke NAME', instead: () => ['gateway', 'revoke', 'far'] },
];

/** The README's server in Python is anybody's, and so is its host. */
function asNode(words: readonly string[]): string[] {
  const here: Readonly<Record<string, string>> = {
    python: process.execPath,
    'server.py': join(repository, 'test/support/echo-agent.ts'),
    'https://HOST:8801': world.client.url,
    '"$TOKEN"': world.token,
  };
  return words.map((word) => here[word] ?? word);
}

async function withVersion(words: readonly string[]): Promise<string[]> {
  const { version } = await world.client.service('my-agent');
  return words.map((word) => (word === '3' ? String(version) : word));
}

const specOf = async () => (await world.client.service('my-agent')).spec;

async function aNewVersion(): Promise<void> {
  const spec = await specOf();
  await world.client.patchService('my-agent', {
    spec: { launch: { env: { ...spec.launch?.env, PROMPT: `new ${String(Date.now())}` } } },
  });
  await world.until('there is a rollout', async () => world.client.rollout('my-agent').then(() => true));
}

async function autoscaled(): Promise<void> {
  await world.client.patchService('my-agent', { spec: { autoscale: { sessions: 100, max: 10 } } });
}

async function keepHead(): Promise<void> {
  const { stdout } = await runCli(world, ['events', 'head']);
  writeFileSync(join(world.folder, 'heads.txt'), stdout);
}

/** The README's own document; its agent is a sample here. */
function ownAgent(): Record<string, unknown> {
  const [, text = ''] = /^```yaml\n(# my-agent\.yaml\n.*?)^```/ms.exec(readme) ?? [];
  const document = parse(text) as { spec: { launch: { command: string[] } } };
  const sample = join(repository, 'deploy/examples/agents/weather.ts');
  document.spec.launch.command = [process.execPath, sample, '--host', '{host}', '--port', '{port}'];
  return document;
}

beforeAll(async () => {
  const weather = { ...ownAgent(), name: 'weather' };
  world = await startWorld({ name: 'readme', seed: [weather], environment: { OPENAI_API_KEY: 'none' } });
  writeFileSync(join(world.folder, 'my-agent.yaml'), stringify(ownAgent()));
  mkdirSync(join(world.folder, 'services'));
  writeFileSync(join(world.folder, 'services', 'team.yaml'), stringify({ ...ownAgent(), name: 'team' }));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

async function run(line: string): Promise<CliResult> {
  const command = commandOf(line);
  const special = SPECIAL.find(({ begins }) => command.startsWith(begins));
  const words = special?.instead === undefined ? wordsOf(command) : await special.instead(command.split(' '));
  await special?.first?.();
  const running = startCli(world, words, { XDG_CONFIG_HOME: join(world.folder, 'config'), ...special?.environment });
  const { until } = special ?? {};
  if (until === undefined) return running.ended;
  await world.until(`${line} says ${until.source}: ${running.said.stderr}`, async () =>
    Promise.resolve(until.test(running.said.stdout + running.said.stderr)),
  );
  running.interrupt();
  return running.ended;
}

it('every command of the README runs', { timeout: 180_000 }, async () => {
  const unknown = lines.filter(
    (line) => !SCRIPTS.includes(line) && !/^(npm run switchboard --|switchboard|events|gateway) /.test(line),
  );
  expect(unknown, 'lines that this test does not know how to run').toEqual([]);
  const commands = lines.filter((line) => !SCRIPTS.includes(line));
  expect(commands.length).toBeGreaterThan(30);
  const bad: unknown[] = [];
  for (const line of commands) {
    const { code, stderr, stdout } = await run(line);
    if (code !== 0) bad.push({ line, code, said: stderr.slice(-600), out: stdout.slice(-300) });
    // The README's context is for another installation: what comes after is for this one.
    if (line.includes('context add prod'))
      await runCli(world, ['context', 'remove', 'prod'], { XDG_CONFIG_HOME: join(world.folder, 'config') });
  }
  expect(bad).toEqual([]);
});

it('a special case is one that the README has', () => {
  const without = SPECIAL.filter(({ begins }) => !lines.some((line) => commandOf(line).startsWith(begins)));
  expect(without.map(({ begins }) => begins)).toEqual([]);
});
