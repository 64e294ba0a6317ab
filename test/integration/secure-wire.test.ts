/** The wire between Envoy and the control plane: who may speak on it, and that its certificates change under open sessions. */
import { existsSync, readFileSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Metadata, credentials, type ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
import { grpcService } from '@switchboard/proto';
import { expect, it } from 'vitest';
import { issue } from '../../control-plane/src/certificates/authority.ts';
import { fromIdentitySecret, fromPem } from '../../control-plane/src/certificates/files.ts';
import { gatewayUri } from '../../control-plane/src/certificates/peer.ts';
import type { KeyPair } from '../../control-plane/src/model/gateway-files.ts';
import type { OpenSession } from '../support/sessions.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const tls = (world: World, ...path: string[]): string => join(world.data, 'tls', ...path);
const authorityOf = (world: World): KeyPair => {
  const pair = fromPem(readFileSync(tls(world, 'authority.pem'), 'utf8'));
  if (pair === undefined) throw new Error('no authority');
  return pair;
};

/** Opens an aggregated stream as the node; how it ended, or `served`. */
async function streamAs(port: number, id: string, by: ChannelCredentials, metadata?: object): Promise<string> {
  const method = grpcService('envoy.service.discovery.v3.AggregatedDiscoveryService')['DeltaAggregatedResources'];
  if (method === undefined) throw new Error('no such method');
  const client = new Client(`127.0.0.1:${port}`, by, {
    'grpc.ssl_target_name_override': 'control-plane',
    'grpc.enable_retries': 0,
  });
  try {
    return await new Promise((resolve) => {
      const call = client.makeBidiStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        new Metadata(),
        { deadline: Date.now() + 10_000 },
      );
      call.on('error', (error: ServiceError) => {
        resolve(`${error.code} ${error.details}`);
      });
      call.on('data', () => {
        resolve('served');
        call.cancel();
      });
      call.write({ node: { id, metadata }, type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' });
    });
  } finally {
    client.close();
  }
}

function ssl(trusted: string, pair?: KeyPair): ChannelCredentials {
  return credentials.createSsl(
    Buffer.from(trusted),
    pair === undefined ? null : Buffer.from(pair.key),
    pair === undefined ? null : Buffer.from(pair.certificate),
    { checkServerIdentity: () => undefined },
  );
}

/** Envoy's own first check of an instance may come a moment after its acknowledgement. */
const openSoon = async (world: World): Promise<OpenSession> =>
  world.until('a session opens', async () => world.open('weather'));

const times = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };

it('serves a gateway with its own certificate, and refuses strangers', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const { xds } = await world.status();
  const authority = authorityOf(world);
  const [foreign] = await issue([{ name: 'another', use: 'authority', ...times }]);
  if (foreign === undefined) throw new Error('no authority was issued');
  const client = { name: 'gateway', use: 'client', ...times } as const;
  const [own, other, counterfeit] = await issue([
    { ...client, uri: gatewayUri('gateway-1'), issuer: authority },
    { ...client, uri: gatewayUri('gateway-2'), issuer: authority },
    { ...client, uri: gatewayUri('gateway-1'), issuer: foreign },
  ]);
  const trusted = authority.certificate;
  // One of another start is not served, whatever its certificate.
  expect(await streamAs(xds.port, 'gateway-1', ssl(trusted, own))).toMatch(/^7 .*started for other settings/);
  const { node } = JSON.parse(readFileSync(join(world.data, 'envoy/bootstrap.json'), 'utf8')) as {
    node: { metadata: Record<string, string> };
  };
  const fields = Object.fromEntries(
    Object.entries(node.metadata).map(([name, stringValue]) => [name, { stringValue, kind: 'stringValue' }]),
  );
  expect(await streamAs(xds.port, 'gateway-1', ssl(trusted, own), { fields })).toBe('served');
  expect(await streamAs(xds.port, 'gateway-1', ssl(trusted))).toMatch(/^16 .*no certificate/);
  expect(await streamAs(xds.port, 'gateway-1', ssl(trusted, counterfeit))).toMatch(/^16 .*no certificate/);
  expect(await streamAs(xds.port, 'gateway-1', ssl(trusted, other))).toMatch(/^7 .*for the gateway gateway-2, not for/);
  expect(await streamAs(xds.port, 'gateway-1', credentials.createInsecure())).toMatch(/^(14|4) /);
  // Whoever trusts another authority does not speak to us either.
  expect(await streamAs(xds.port, 'gateway-1', ssl(foreign.certificate, own))).toMatch(/^14 /);
  const refusals = await world.until('both kinds of refusal are in the log', async () => {
    const lines = world
      .log()
      .split('\n')
      .filter((line) => line.includes('a peer was refused'));
    return lines.length >= 2 && lines.map((line) => (JSON.parse(line) as { reason: string }).reason);
  });
  expect(refusals).toEqual(['no-certificate', 'wrong-node']);
  // None of it has disturbed the real one.
  expect((await world.client.gateways()).items).toMatchObject([{ node: 'gateway-1' }]);
  await (await openSoon(world)).close();
}, 60_000);

it('keeps keys to itself', async () => {
  await using world = await startWorld({ seed: [] });
  const files = readdirSync(tls(world), { recursive: true, withFileTypes: true });
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) {
    const { mode } = statSync(join(file.parentPath, file.name));
    expect([file.name, (mode & 0o777).toString(8)]).toEqual([file.name, file.isDirectory() ? '700' : '600']);
  }
  expect(statSync(tls(world)).mode & 0o777).toBe(0o700);
}, 60_000);

it('renews certificates under open sessions, without losing the stream, and uses them at the next connection', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  await (await openSoon(world)).close();
  const crowd = await world.crowd('weather', 50, 50);
  const [before] = (await world.client.gateways()).items;
  for (let round = 0; round < 3; round += 1) {
    const old = (await world.client.certificates()).items;
    const { items } = await world.client.rotateCertificates();
    expect(items.map((one) => one.name)).toEqual(['control-plane', 'gateway-1']);
    expect(items.filter((one) => old.some((past) => past.serial === one.serial))).toEqual([]);
    // The stream goes on: it is the same, and what is written now reaches Envoy.
    const answer = await world.client.patchService('weather', { labels: { round: String(round) } }, { wait: true });
    expect(answer.acks).toMatchObject({ acked: ['gateway-1'], pending: [], refused: [] });
    expect((await world.client.gateways()).items[0]?.connectedAt).toBe(before?.connectedAt);
  }
  const newest = (await world.client.certificates()).items.find((one) => one.name === 'gateway-1')?.serial;
  await world.killControlPlane();
  await world.startControlPlane();
  await world.until(
    'Envoy has come with its newest certificate',
    async () => (await world.client.gateways()).items[0]?.certificate?.serial === newest,
  );
  expect((await world.client.certificates()).items.find((one) => one.name === 'gateway-1')?.serial).toBe(newest);
  expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
  await crowd.close();
}, 90_000);

it('renews by time, also while the control plane and Envoy are apart', async () => {
  await using world = await startWorld({
    seed: [echoService('weather')],
    environment: { SWITCHBOARD_CERTIFICATES_LIFE: '6s' },
  });
  const session = await openSoon(world);
  const first = (await world.client.certificates()).items.map((one) => one.serial);
  await world.until('both were renewed by time', async () => {
    const { items } = await world.client.certificates();
    return items.every((one) => !first.includes(one.serial));
  });
  // What Envoy had at its start is long over when it has to connect again.
  await world.killControlPlane();
  await new Promise((resolve) => setTimeout(resolve, 6_500));
  await world.startControlPlane();
  const answer = await world.client.patchService('weather', { labels: { after: 'it' } }, { wait: true });
  expect(answer.acks).toMatchObject({ acked: ['gateway-1'] });
  expect(await session.ask('still here')).toBe('still here');
  await session.close();
}, 90_000);

it('mends what a kill or a hand has left in its folder', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const session = await openSoon(world);
  await world.killControlPlane();
  const identity = tls(world, 'gateways/gateway-1/identity.json');
  const good = fromIdentitySecret(readFileSync(identity, 'utf8'));
  // Half a draft beside the file, a torn file, and a key beside another's certificate.
  writeFileSync(`${identity}.new`, '{"resources": [');
  writeFileSync(identity, readFileSync(identity, 'utf8').slice(0, 300));
  writeFileSync(tls(world, 'control-plane.pem'), `${authorityOf(world).key}\n${good?.certificate ?? ''}\n`);
  await world.startControlPlane();
  const answer = await world.client.patchService('weather', { labels: { after: 'it' } }, { wait: true });
  expect(answer.acks).toMatchObject({ acked: ['gateway-1'] });
  // Without its authority it makes another, and Envoy, which watches its files, follows.
  await world.killControlPlane();
  unlinkSync(tls(world, 'authority.pem'));
  await world.startControlPlane();
  expect(existsSync(tls(world, 'authority.pem'))).toBe(true);
  expect((await world.client.patchService('weather', { labels: { b: 'c' } }, { wait: true })).acks).toMatchObject({
    acked: ['gateway-1'],
  });
  expect(await session.ask('still here')).toBe('still here');
  await session.close();
}, 90_000);
