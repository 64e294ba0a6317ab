import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { secretsOfAgents, secretsOfServices } from './secrets.ts';

it('of services: those that refer to what is not known here are named', () => {
  const env = (value: object): object => ({ spec: { launch: { env: { KEY: value } } } });
  const documents = new Map([
    ['clear', [env({ fromEnv: 'HERE' })]],
    // An older version may still run.
    ['older', [env({ fromEnv: 'HERE' }), { items: [env({ fromFile: '/elsewhere' })] }]],
  ]);
  const known = secretsOfServices(documents, ({ fromEnv }) => (fromEnv === 'HERE' ? 'value-of-here' : undefined));
  expect(known).toEqual({ values: ['value-of-here', 'value-of-here'], unknown: new Set(['older']) });
});

it('of agents: from the running processes, and who runs no more is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-secrets-'));
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    env: { ANYTHING: 'value-of-anything', PATH: process.env['PATH'], SWITCHBOARD_INSTANCE: 'lives' },
  });
  try {
    await once(child, 'spawn');
    for (const [id, pid] of Object.entries({ lives: child.pid, died: 2 ** 22 + 1, replaced: child.pid })) {
      mkdirSync(join(folder, id));
      writeFileSync(join(folder, id, 'process.json'), JSON.stringify({ process: { pid } }));
    }
    mkdirSync(join(folder, 'never-ran'));
    expect(secretsOfAgents(folder, ['lives', 'died', 'replaced', 'never-ran'])).toEqual({
      values: ['value-of-anything'],
      unknown: new Set(['died', 'replaced', 'never-ran']),
    });
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});
