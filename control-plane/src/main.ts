/**
 * The program: reads the settings, composes the control plane, and ends it at SIGINT or SIGTERM. Envoy and the agents go on
 * running then, and are found again at the next start; `switchboard down` ends them too.
 */
import { flushCompileCache } from 'node:module';
import { NoEnvoyError } from '@switchboard/envoy';
import { compose } from './compose/control-plane.ts';
import { loadConfig } from './config.ts';
import { clearMemoryAtRest } from './home/clear-memory.ts';
import { createLog, logWithMemory } from './log.ts';
import { isError, messageOf } from './model/errors.ts';

const COMPILED_AFTER_MS = 3_000;

async function run(): Promise<void> {
  const config = loadConfig();
  const { destination, recent, end: endLog } = logWithMemory(config.log.format);
  const log = createLog(config.log.level, destination);
  for (const variable of config.unknownVariables)
    log.warn({ variable }, 'this environment variable sets nothing: a mistake, or for another version');
  const plane = await compose(config, log, recent);
  // Written at a clean end otherwise, which a killed process has not.
  setTimeout(flushCompileCache, COMPILED_AFTER_MS).unref();
  clearMemoryAtRest();
  let ending = false;
  const end = (signal: string): void => {
    if (ending) return;
    ending = true;
    log.info({ signal }, 'the control plane ends; Envoy and the agents go on running');
    const exit = async (code: number): Promise<void> => {
      await endLog();
      process.exit(code);
    };
    plane.close().then(
      async () => exit(0),
      async (error: unknown) => {
        log.error({ error }, 'the control plane did not end cleanly');
        await exit(1);
      },
    );
  };
  process.on('SIGINT', () => {
    end('SIGINT');
  });
  process.on('SIGTERM', () => {
    end('SIGTERM');
  });
  // A terminal that goes away takes the control plane alone with it, as Ctrl-C does.
  process.on('SIGHUP', () => {
    end('SIGHUP');
  });
  await plane.ended;
  await endLog();
  process.exit(0);
}

run().catch((error: unknown) => {
  process.stderr.write(`error: ${messageOf(error)}\n`);
  if (isError(error)) {
    for (const issue of error.issues) process.stderr.write(`  ${issue.path}: ${issue.message}\n`);
    if (error.remedy !== undefined) process.stderr.write(`  remedy: ${error.remedy}\n`);
  } else if (error instanceof Error && !(error instanceof NoEnvoyError)) process.stderr.write(`${error.stack ?? ''}\n`);
  process.exit(1);
});
