import { expect, it } from 'vitest';
import { createLog, logWithMemory } from './log.ts';
import { SwitchboardError } from './model/errors.ts';

function logged(fields: object): Record<string, unknown> {
  let line = '';
  createLog('info', { write: (text) => (line += text) }).error(fields, 'it failed');
  return JSON.parse(line) as Record<string, unknown>;
}

it('tells why: the message, stack and cause of an error', () => {
  const { error } = logged({ error: new SwitchboardError('corrupt', 'no good', { cause: new Error('page 7') }) });
  expect(error).toMatchObject({ code: 'corrupt', message: expect.stringContaining('no good') as string });
  expect(JSON.stringify(error)).toContain('page 7');
  expect((error as { stack: string }).stack).toContain('log.test.ts');
  expect(logged({ error: 'only text' })).toMatchObject({ error: 'only text' });
});

it('keeps secrets out, whatever is handed over', () => {
  const line = JSON.stringify(
    logged({
      token: 'tok-1',
      lease: { token: 'tok-2' },
      headers: { authorization: 'tok-3' },
      launch: { env: 'tok-4' },
    }),
  );
  expect(line).not.toContain('tok-');
});

it('remembers its last lines, and no more than that', () => {
  const { destination, recent } = logWithMemory('json', { write: () => undefined, end: async () => undefined });
  for (let n = 0; n < 5_000; n += 1) destination.write(`line ${n}\n`);
  expect(recent()).toHaveLength(2_000);
  expect(recent().at(-1)).toBe('line 4999');
  destination.write('x'.repeat(20_000));
  expect(recent().at(-1)).toHaveLength(8_192);
});
