/** Run by the set-up: installs Envoy if there is none. */
import { ensureEnvoy } from './install.ts';

try {
  await ensureEnvoy({ environment: process.env, progress: (line) => process.stderr.write(`switchboard: ${line}\n`) });
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
