/**
 * The structure, checked: which folder may import which, that there are no cycles, that only the settings read the
 * environment, and that every driver runs its port's conformance kit. The ranks below are the documentation too.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { unknownVariables } from '../control-plane/src/model/variables.ts';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(repository, 'control-plane/src');

/** A folder imports only folders of a lower rank; those of one rank never import each other. */
const RANKS: readonly (readonly string[])[] = [
  ['model'],
  ['store', 'xds'],
  ['rollout', 'scaling'],
  ['registry', 'home', 'certificates'],
  ['runtime', 'discovery', 'routing', 'probes', 'analysis', 'telemetry', 'history', 'admission'],
  ['reconcile'],
  ['translate', 'gateways', 'metrics'],
  ['api'],
  ['cli'],
];
/** Files of the root folder: log.ts and its text are for all; the others compose and are imported by nobody below them. */
const FOR_ALL = ['log.ts', 'log-text.ts'];
const COMPOSE = ['main.ts', 'config.ts', 'drivers.ts', 'plugins.ts'];
/** The composition root: joins all parts, so it may import every folder. */
const COMPOSITION = 'compose';
/** What the CLI may see of the control plane: it speaks HTTP. Whether what `down` is to end runs, and which port is free, is seen without one. */
const CLI_MAY_IMPORT = [
  'model/',
  'api/client.ts',
  'api/steer.ts',
  'api/queries.ts',
  'api/types.ts',
  'home/process-identity.ts',
  'home/free-port.ts',
  'home/program.ts',
];
/** The only readers of process.env. */
const MAY_READ_ENVIRONMENT = ['config.ts', 'cli/settings.ts'];
const WORKSPACES: Readonly<Record<string, readonly string[]>> = {
  '@switchboard/proto': ['admission', 'gateways', 'xds', 'translate', 'telemetry', 'routing', COMPOSITION],
  // `doctor` looks whether this machine has one.
  '@switchboard/envoy': [COMPOSITION, 'cli'],
};

function filesBelow(folder: string, wanted = /\.ts$/): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return entry.name === 'node_modules' || entry.name === 'dist' ? [] : filesBelow(path, wanted);
    return wanted.test(entry.name) ? [path] : [];
  });
}

interface Import {
  readonly specifier: string;
  /** Type-only imports vanish at run time, so they make no cycle; they count for the ranks. */
  readonly typeOnly: boolean;
}

const IMPORT = /^ *(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm;

function importsOf(file: string): Import[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => ({
    specifier: match[2] ?? match[3] ?? match[4] ?? '',
    typeOnly: match[1] !== undefined,
  }));
}

const files = filesBelow(source);
const isTest = (file: string): boolean =>
  file.endsWith('.test.ts') || file.endsWith('/testing.ts') || file.endsWith('/conformance.ts');
const production = files.filter((file) => !isTest(file));
const nameOf = (file: string): string => relative(source, file).split(sep).join('/');
const folderOf = (name: string): string => (name.includes('/') ? (name.split('/')[0] ?? '') : '');
const rankOf = (folder: string): number => RANKS.findIndex((rank) => rank.includes(folder));

describe('the structure of control-plane/src', () => {
  it('has a rank for every folder, and a folder for every rank', () => {
    const folders = readdirSync(source, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    expect(folders.sort()).toEqual([...RANKS.flat(), COMPOSITION].sort());
    const rootFiles = readdirSync(source).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    expect(rootFiles.sort()).toEqual([...FOR_ALL, ...COMPOSE].sort());
  });

  it('imports only from lower ranks', () => {
    const wrong: string[] = [];
    for (const file of production) {
      const from = nameOf(file);
      if (COMPOSE.includes(from) || folderOf(from) === COMPOSITION) continue;
      for (const { specifier } of importsOf(file)) {
        if (!specifier.startsWith('.')) {
          const allowed = WORKSPACES[specifier];
          if (allowed !== undefined && !allowed.includes(folderOf(from) || from))
            wrong.push(`${from} imports ${specifier}`);
          continue;
        }
        const to = nameOf(resolve(dirname(file), specifier));
        if (FOR_ALL.includes(to) || folderOf(to) === folderOf(from)) continue;
        if (
          FOR_ALL.includes(from)
            ? folderOf(to) !== 'model'
            : rankOf(folderOf(to)) >= rankOf(folderOf(from)) || folderOf(to) === ''
        )
          wrong.push(`${from} imports ${to}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('lets the CLI see nothing but the model and the API client', () => {
    const wrong = production
      .filter((file) => nameOf(file).startsWith('cli/'))
      .flatMap((file) =>
        importsOf(file)
          .filter(({ specifier }) => specifier.startsWith('.'))
          .map(({ specifier }) => nameOf(resolve(dirname(file), specifier)))
          .filter((to) => !to.startsWith('cli/') && !CLI_MAY_IMPORT.some((allowed) => to.startsWith(allowed)))
          .map((to) => `${nameOf(file)} imports ${to}`),
      );
    expect(wrong).toEqual([]);
  });

  it('gives the console no schemas to load, only types that are inferred from them', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      if (!file.startsWith(source)) return;
      for (const { specifier, typeOnly } of importsOf(file))
        if (!typeOnly) visit(specifier.startsWith('.') ? resolve(dirname(file), specifier) : specifier);
    };
    const imported = filesBelow(join(repository, 'console/src'), /\.(ts|svelte)$/).flatMap((file) =>
      importsOf(file)
        .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
        .map(({ specifier }) => resolve(dirname(file), specifier)),
    );
    for (const file of imported) visit(file);
    expect(reached).toContain(join(source, 'api/client.ts'));
    expect(reached).not.toContain('zod');
  });

  it('has no cycle of imports', () => {
    const graph = new Map(
      [...production, ...filesBelow(join(repository, 'envoy/src')), ...filesBelow(join(repository, 'proto/src'))].map(
        (file) => [
          file,
          importsOf(file)
            .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
            .map(({ specifier }) => resolve(dirname(file), specifier)),
        ],
      ),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].map((one) => relative(repository, one)).join(' -> '));
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('reads the environment only in the settings', () => {
    const readers = production.filter((file) => readFileSync(file, 'utf8').includes('process.env')).map(nameOf);
    expect(readers.sort()).toEqual([...MAY_READ_ENVIRONMENT].sort());
  });

  it('knows every variable that anything here reads or sets', () => {
    const folders = ['control-plane/src', 'envoy/src', 'deploy', 'test'].map((folder) => join(repository, folder));
    const code = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /(?<!\.test)\.(ts|mjs)$/.test(name))
        .map((name) => readFileSync(join(folder, name), 'utf8')),
    );
    const names = code.flatMap((text) => [...text.matchAll(/\bSWITCHBOARD_[A-Z_]*[A-Z]\b/g)].map(([name]) => name));
    const environment = Object.fromEntries(names.map((name) => [name, 'x']));
    expect(Object.keys(environment).length).toBeGreaterThan(30);
    expect(unknownVariables(environment)).toEqual([]);
  });

  it('keeps files small', () => {
    const long = production
      .map((file) => ({ name: nameOf(file), lines: readFileSync(file, 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 400);
    expect(long).toEqual([]);
  });

  it('has a README in every folder that is a stage or a port', () => {
    const missing = [...RANKS.flat(), COMPOSITION].filter((folder) => !existsSync(join(source, folder, 'README.md')));
    expect(missing).toEqual([]);
  });
});

describe('every driver', () => {
  const ports = [
    { port: 'store', list: 'store/drivers.ts', kit: 'storeConformance', drivers: 'store/drivers' },
    { port: 'runtime', list: 'runtime/drivers.ts', kit: 'runtimeConformance', drivers: 'runtime/drivers' },
    { port: 'probes', list: 'probes/drivers.ts', kit: 'probeConformance', drivers: 'probes/drivers' },
    { port: 'analysis', list: 'analysis/drivers.ts', kit: 'metricConformance', drivers: 'analysis/drivers' },
    { port: 'routing', list: 'routing/policies.ts', kit: 'policyConformance', drivers: 'routing/policies' },
  ];
  it.each(ports)('of $port runs the conformance kit', ({ list, kit, drivers }) => {
    const listed = importsOf(join(source, list))
      .map(({ specifier }) => nameOf(resolve(dirname(join(source, list)), specifier)))
      .filter((name) => name.startsWith(`${drivers}/`));
    expect(listed.length).toBeGreaterThan(0);
    const tests = files.filter((file) => file.endsWith('.test.ts') && readFileSync(file, 'utf8').includes(`${kit}(`));
    const tested = new Set(
      tests.flatMap((file) => importsOf(file).map(({ specifier }) => nameOf(resolve(dirname(file), specifier)))),
    );
    expect(listed.filter((name) => !tested.has(name))).toEqual([]);
  });
});
