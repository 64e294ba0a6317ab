import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: resolve(dirname(fileURLToPath(import.meta.url)), '..'),
    include: [
      'proto/src/**/*.test.ts',
      'envoy/src/**/*.test.ts',
      'control-plane/src/**/*.test.ts',
      'console/build/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    pool: 'forks',
    // Integration tests run real Envoys and agents: more at once than this machine has cores would only slow all of them.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
