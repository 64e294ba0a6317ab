#!/usr/bin/env node
/** `switchboard ...` from a checkout: sets up what is missing, then runs the CLI on Node 24. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { asProgram, ensureReady, environment, node24, repository } from './setup.mjs';

await asProgram(async () => {
  const args = process.argv.slice(2);
  // Only starting the gateway needs Envoy and the console.
  await ensureReady({ onlyDependencies: args[0] !== 'up' });
  // npm changes to the repository; what the user names is relative to where they are. `npm start` itself means the repository.
  const cwd =
    process.env['npm_lifecycle_event'] === 'switchboard' ? (process.env['INIT_CWD'] ?? process.cwd()) : process.cwd();
  const child = spawn(node24, [join(repository, 'control-plane/src/cli/main.ts'), ...args], {
    // Nothing is ever said over the last: it closes when this one is killed, and what goes on till it is interrupted then ends too.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    cwd,
    env: { ...environment(), SWITCHBOARD_REPOSITORY: repository },
  });
  // The terminal signals the whole group; this one only waits, and passes on what was meant for it alone.
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => undefined);
  return new Promise((done) => child.once('close', (code, signal) => done(signal === 'SIGINT' ? 130 : (code ?? 1))));
});
