/** A second Envoy, as on another machine: what the CLI writes is all that it needs; it is shut out by name, for good, and let in again. */
import { spawn } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEnvoy } from '@switchboard/envoy';
import { expect, it } from 'vitest';
import { fromIdentitySecret } from '../../control-plane/src/certificates/files.ts';
import { runCli } from '../support/cli.ts';
import { startWorld, echoService, type World } from '../support/world.ts';

const stateOf = async (world: World, node: string): Promise<string | undefined> =>
  (await world.client.gateways()).items.find((one) => one.node === node)?.types['cds']?.state;

async function startEnvoy(folder: string): Promise<{ stop: () => Promise<void> }> {
  const { path } = await findEnvoy({ environment: process.env, path: undefined });
  const args = ['-c', join(folder, 'bootstrap.json'), '--disable-hot-restart', '--concurrency', '1', '-l', 'off'];
  const child = spawn(path, args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.on('exit', () => {
      resolve();
    });
  });
  return {
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

it('an Envoy elsewhere comes with the files of the CLI, is shut out by its revocation, and comes back with new ones', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const folder = join(mkdtempSync(join(tmpdir(), 'sb-edge-')), 'edge-2');
  const certificate = ['gateway', 'certificate', 'edge-2', '--out', folder];
  expect(await runCli(world, certificate)).toMatchObject({ code: 0 });
  expect(readdirSync(folder).sort()).toEqual(['authority.json', 'bootstrap.json', 'identity.json']);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  const first = fromIdentitySecret(readFileSync(join(folder, 'identity.json'), 'utf8'));
  const envoy = await startEnvoy(folder);
  try {
    await world.until('it has its clusters', async () => (await stateOf(world, 'edge-2')) === 'SYNCED');
    const listed = (await world.client.certificates()).items.map(({ name }) => name);
    expect(listed).toEqual(['control-plane', 'gateway-1', 'edge-2']);

    expect(await runCli(world, ['gateway', 'revoke', 'edge-2'])).toMatchObject({ code: 0 });
    await world.until('it is gone', async () => (await stateOf(world, 'edge-2')) === undefined);
    await world.until('it has come again, and was refused', async () =>
      world.log().includes('the certificate of the gateway edge-2 was revoked'),
    );
    expect(await stateOf(world, 'edge-2')).toBeUndefined();
    // The other one notices nothing, and a restart forgets nothing.
    expect(await stateOf(world, 'gateway-1')).toBe('SYNCED');
    await world.killControlPlane();
    await world.startControlPlane();
    await world.until('ours is back', async () => (await stateOf(world, 'gateway-1')) === 'SYNCED');
    expect(await stateOf(world, 'edge-2')).toBeUndefined();
    expect((await world.client.certificates()).items.at(-1)).toMatchObject({
      name: 'edge-2',
      revokedAt: expect.any(String) as string,
    });

    expect(await runCli(world, certificate)).toMatchObject({ code: 0 });
    const second = fromIdentitySecret(readFileSync(join(folder, 'identity.json'), 'utf8'));
    expect(second?.key).not.toBe(first?.key);
    await world.until('it is let in with its new one', async () => (await stateOf(world, 'edge-2')) === 'SYNCED');
  } finally {
    await envoy.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 90_000);

it('the gateway of the control plane itself gets another certificate when its own is revoked, and no session ends', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const session = await world.until('a session opens', async () => world.open('weather'));
  const serial = async (): Promise<string | undefined> =>
    (await world.client.certificates()).items.find(({ name }) => name === 'gateway-1')?.serial;
  const before = await serial();
  await world.client.revokeCertificate('gateway-1');
  const after = await serial();
  expect(after).not.toBe(before);
  await world.until('Envoy has come with it', async () => {
    const [gateway] = (await world.client.gateways()).items;
    return gateway?.certificate?.serial === after && gateway?.types['cds']?.state === 'SYNCED';
  });
  expect(await session.ask('still here')).toBe('still here');
  // Renewed by hand or by time it stays one that is taken.
  await world.client.rotateCertificates('gateway-1');
  const answer = await world.client.patchService('weather', { labels: { after: 'it' } }, { wait: true });
  expect(answer.acks).toMatchObject({ acked: ['gateway-1'] });
  await session.close();
}, 90_000);

it('says what is wrong with what is asked for', async () => {
  await using world = await startWorld({ seed: [] });
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const good = {
    gateway: 'edge-2',
    publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })),
    folder: '/etc/gateway',
  };
  const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ask = async (change: Partial<typeof good>): Promise<unknown> =>
    world.client.certifyGateway({ ...good, ...change }).catch((error: unknown) => error);
  expect(await ask({ gateway: 'gateway-1' })).toMatchObject({ code: 'conflict' });
  expect(await ask({ gateway: '../up' })).toMatchObject({ code: 'invalid' });
  expect(await ask({ folder: 'relative' })).toMatchObject({ code: 'invalid' });
  expect(await ask({ publicKey: 'no key' })).toMatchObject({ code: 'invalid' });
  expect(await ask({ publicKey: String(rsa.export({ type: 'spki', format: 'pem' })) })).toMatchObject({
    code: 'invalid',
  });
  await expect(world.client.revokeCertificate('nobody')).rejects.toMatchObject({ code: 'not_found' });
  expect(await runCli(world, ['gateway', 'certificate', 'edge-2', '--xds', 'nowhere'])).toMatchObject({ code: 2 });
  // Nothing was issued, and nothing that is a key has gone over the wire.
  expect((await world.client.certificates()).items.map(({ name }) => name)).toEqual(['control-plane', 'gateway-1']);
  const made = await world.client.certifyGateway(good);
  expect(JSON.stringify(made)).not.toContain('PRIVATE KEY');
  expect(createPublicKey(made.pem).equals(publicKey)).toBe(true);
}, 60_000);
