import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createLog } from '../log.ts';
import { tlsFiles } from './files.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import { gatewayUri, identityOf, refusalOf } from './peer.ts';

const DAY = 86_400_000;
const START = Date.parse('2030-01-01T00:00:00Z');
const folders: string[] = [];
let clock = START;

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function open(data: string, gateways = ['gateway-1']): Promise<Keeper> {
  const keeper = await createKeeper({ data, gateways, lifeMs: 90 * DAY, now: () => clock, log: createLog('silent') });
  keeper.close();
  return keeper;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sb-tls-'));
  folders.push(made);
  return made;
}

const serials = (keeper: Keeper): string[] => keeper.status().map((one) => one.serial);

it('keeps what is good over restarts, and renews at two thirds of its life', async () => {
  clock = START;
  const data = folder();
  const first = await open(data);
  expect(first.status()).toMatchObject([
    { name: 'control-plane', notAfter: '2030-04-01T00:00:00.000Z', renewAt: '2030-03-02T00:00:00.000Z' },
    { name: 'gateway-1', notAfter: '2030-04-01T00:00:00.000Z', renewAt: '2030-03-02T00:00:00.000Z' },
  ]);
  clock = START + 59 * DAY;
  expect(serials(await open(data))).toEqual(serials(first));
  clock = START + 60 * DAY;
  const renewed = await open(data, ['gateway-1', 'gateway-2']);
  expect(renewed.status().map((one) => one.name)).toEqual(['control-plane', 'gateway-1', 'gateway-2']);
  expect(serials(renewed).filter((serial) => serials(first).includes(serial))).toEqual([]);
  // A clock that was set back: what is not valid yet is made anew.
  clock = START;
  expect(serials(await open(data)).filter((serial) => serials(renewed).includes(serial))).toEqual([]);
});

it('rotates one or all on demand, and tells of the control plane’s own', async () => {
  clock = START;
  const data = folder();
  const keeper = await open(data);
  let told = 0;
  keeper.subscribe(() => {
    told += 1;
  });
  const [own, gateway] = serials(keeper);
  await keeper.rotate('gateway-1');
  expect(serials(keeper)[0]).toBe(own);
  expect(serials(keeper)[1]).not.toBe(gateway);
  expect(told).toBe(0);
  await Promise.all([keeper.rotate(), keeper.rotate()]);
  expect(serials(keeper)[0]).not.toBe(own);
  expect(told).toBe(2);
  await expect(keeper.rotate('nobody')).rejects.toMatchObject({ code: 'not_found' });
});

it('says what is wrong with a damaged or expired authority, and takes no name that leaves its folder', async () => {
  clock = START;
  const data = folder();
  await open(data);
  await expect(open(folder(), ['../elsewhere'])).rejects.toMatchObject({ code: 'invalid' });
  const { authority } = tlsFiles(data);
  const good = readFileSync(authority, 'utf8');
  clock = START + 3651 * DAY;
  await expect(open(data)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('expired') as string,
  });
  clock = START;
  writeFileSync(authority, good.slice(0, 200));
  await expect(open(data)).rejects.toMatchObject({
    code: 'corrupt',
    remedy: 'Delete the file: a new authority and new certificates are made at the next start.',
  });
  // Those that the lost authority has signed are of no use with the new one.
  rmSync(authority);
  expect((await open(data)).status()).toHaveLength(2);
});

it('takes a peer’s node only from a certificate that names exactly one', () => {
  const certificate = (subjectaltname: string) =>
    ({ subjectaltname, serialNumber: '01', valid_to: 'Jan  1 00:00:00 2031 GMT' }) as Parameters<typeof identityOf>[0];
  expect(identityOf(certificate(`URI:${gatewayUri('a/b')}`))).toMatchObject({ node: 'a/b', serial: '01' });
  expect(identityOf(certificate(`URI:${gatewayUri('a')}, URI:${gatewayUri('b')}`))).toBeUndefined();
  expect(identityOf(certificate('DNS:gateway-1'))).toBeUndefined();
  expect(identityOf(undefined)).toBeUndefined();
  expect(refusalOf('a', { node: 'a', serial: '', notAfter: '' })).toBeUndefined();
  expect(refusalOf('b', { node: 'a', serial: '', notAfter: '' })).toContain('for the gateway a, not for b');
});
