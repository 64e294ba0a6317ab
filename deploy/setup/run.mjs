/** `npm test`, `npm run bench`, `npm run chaos`: sets up what is missing, then runs them on Node 24. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureChromium } from './chromium.mjs';
import { asProgram, ensureReady, environment, node24, repository } from './setup.mjs';

const bin = (/** @type {string} */ name) => join(repository, 'node_modules', name);
const [what = 'test', ...rest] = process.argv.slice(2);

/** @param {readonly string[]} args @param {Record<string, string>} [extra] @param {string} [cwd] @returns {Promise<number>} */
async function node(args, extra = {}, cwd = repository) {
  const child = spawn(node24, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    cwd,
    env: { ...environment(), ...extra },
  });
  return new Promise((done) => child.once('close', (code) => done(code ?? 1)));
}

const VITEST = [bin('vitest/vitest.mjs'), 'run', '--config', 'test/vitest.config.ts'];

/** Each counts as one test. The longest goes on beside all the others. */
const CHECKS = /** @type {const} */ ([
  [['lint', [bin('eslint/bin/eslint.js'), '--config', 'test/lint/eslint.config.js', '.']]],
  [
    ['format', [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']],
    ['types', [bin('typescript/bin/tsc'), '--noEmit']],
    [
      'console types',
      [
        bin('svelte-check/bin/svelte-check'),
        '--tsconfig',
        'console/tsconfig.json',
        '--fail-on-warnings',
        '--output',
        'machine',
      ],
    ],
    ['dead code', [bin('knip/bin/knip.js'), '--config', 'test/lint/knip.json']],
  ],
]);

/** @param {string} name @param {readonly string[]} args @returns {Promise<boolean>} */
async function check(name, args) {
  const start = Date.now();
  const ok = (await node(args)) === 0;
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
  return ok;
}

async function test() {
  let passed = 0;
  let failed = 0;
  if (rest.length === 0) {
    const results = await Promise.all(
      CHECKS.map(async (row) => {
        const done = [];
        for (const [name, args] of row) done.push(await check(name, args));
        return done;
      }),
    );
    for (const ok of results.flat())
      if (ok) passed += 1;
      else failed += 1;
  }
  if (rest.length === 0) process.env['SWITCHBOARD_CHROMIUM'] = ensureChromium();
  const folder = mkdtempSync(join(tmpdir(), 'sb-test-'));
  const report = join(folder, 'report.json');
  try {
    const code = await node([
      ...VITEST,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...rest,
    ]);
    const counts = JSON.parse(readFileSync(report, 'utf8'));
    passed += counts.numPassedTests;
    // A file that can't be loaded, or a skipped test, has failed too.
    failed += counts.numFailedTests + counts.numPendingTests + counts.numTodoTests;
    if (code !== 0 && failed === 0) failed += 1;
  } catch {
    failed += 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

await asProgram(async () => {
  await ensureReady();
  if (what === 'test') return test();
  if (what === 'bench') return node(['test/bench/main.ts', ...rest]);
  if (what === 'chaos') return node([...VITEST, 'test/chaos', ...rest], { SWITCHBOARD_CHAOS: 'long' });
  process.stderr.write(`unknown: ${what}\n`);
  return 2;
});
