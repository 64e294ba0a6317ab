import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createIssuedList } from './issued.ts';

const folder = mkdtempSync(join(tmpdir(), 'sb-issued-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const valid = (serial: string) => ({ serial, notBefore: 'a', notAfter: 'b', renewAt: 'c' });
const peer = (node: string, serial: string) => ({ node, serial, notAfter: '' });

it('refuses what was issued before a revocation, takes what is issued after, and forgets neither', () => {
  const file = join(folder, 'issued.json');
  const first = createIssuedList(file);
  first.certified('edge', valid('1'));
  expect(first.whyRevoked(peer('edge', '1'))).toBeUndefined();
  first.revoke('edge', Date.parse('2030-01-01T00:00:00Z'));
  first.revoke('own', Date.parse('2030-01-01T00:00:00Z'));
  first.renewed('own', '9');
  const second = createIssuedList(file);
  expect(second.whyRevoked(peer('edge', '1'))).toBe(
    'the certificate of the gateway edge was revoked at 2030-01-01T00:00:00.000Z',
  );
  // Also one that is not known here, as from before there was a list.
  expect(second.whyRevoked(peer('own', '8'))).toContain('own was revoked');
  expect(second.whyRevoked(peer('own', '9'))).toBeUndefined();
  second.certified('edge', valid('2'));
  expect([second.whyRevoked(peer('edge', '1')), second.whyRevoked(peer('edge', '2'))]).toEqual([
    expect.stringContaining('revoked'),
    undefined,
  ]);
  second.revoke('edge', 1);
  expect(second.whyRevoked(peer('edge', '2'))).toContain('revoked');
  expect(second.whyRevoked(peer('another', '1'))).toBeUndefined();
  // Ours stand in a list of their own.
  expect(second.list().map(({ name, serial }) => [name, serial])).toEqual([['edge', '2']]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('does not start with a list that it can not read: what was revoked would be taken', () => {
  const file = join(folder, 'broken.json');
  for (const text of ['{"gateways": {"edge": {', '{}', '{"gateways": {"edge": {"since": [], "more": 1}}}']) {
    writeFileSync(file, text);
    expect(() => createIssuedList(file)).toThrow(expect.objectContaining({ code: 'corrupt' }) as Error);
  }
});
