/** The bytes of responses against protobufjs, over random contents. */
import { messageType } from '@switchboard/proto';
import { expect, it } from 'vitest';
import { seeded } from '../../../test/support/random.ts';
import type { Send } from './events.ts';
import { responseBytes } from './response-bytes.ts';
import { bytesOf } from './testing.ts';
import { wholeOf, type XdsResource } from './snapshot.ts';

const dice = seeded(11);
const random = (below: number): number => dice.below(below);
const TEXTS = ['', 'a', 'frühling', '天气', 'x'.repeat(127), 'x'.repeat(128), 'y'.repeat(17_000)];
const text = (): string => TEXTS[random(TEXTS.length)] ?? '';

function resource(): XdsResource {
  const ttl = [undefined, 1, 999, 1_000, 61_500, 2 ** 31][random(12)];
  return {
    name: text(),
    version: text(),
    body: new Uint8Array(random(4) === 0 ? random(40_000) : random(300)).fill(random(256)),
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
  };
}

const URL = 'type.googleapis.com/envoy.service.discovery.v3.Resource';

/** As the specification has it, by a library that knows its messages. */
function plain(variant: 'sotw' | 'delta', { type, nonce, version, resources, removed, heartbeat }: Send): object {
  const wrapped = ({ name, version: own, body, ttlMs }: XdsResource): object => ({
    name,
    version: own,
    ...(heartbeat === true ? {} : { resource: { type_url: type, value: body } }),
    ...(ttlMs === undefined ? {} : { ttl: { seconds: Math.floor(ttlMs / 1000), nanos: (ttlMs % 1000) * 1e6 } }),
  });
  const own = messageType('envoy.service.discovery.v3.Resource');
  if (variant === 'delta')
    return {
      system_version_info: version,
      type_url: type,
      nonce,
      resources: resources.map(wrapped),
      removed_resources: removed,
    };
  return {
    version_info: version,
    type_url: type,
    nonce,
    resources: resources.map((one) =>
      one.ttlMs === undefined
        ? { type_url: type, value: one.body }
        : { type_url: URL, value: own.encode(own.create(wrapped(one))).finish() },
    ),
  };
}

it.each(['sotw', 'delta'] as const)('%s: what is written is what a library reads', (variant) => {
  const type = messageType(
    `envoy.service.discovery.v3.${variant === 'sotw' ? 'DiscoveryResponse' : 'DeltaDiscoveryResponse'}`,
  );
  const options = { defaults: true, arrays: true, bytes: String, longs: String } as const;
  const own = messageType('envoy.service.discovery.v3.Resource');
  const read = (bytes: Uint8Array): object => {
    const response = type.toObject(type.decode(bytes), options) as {
      resources: { type_url?: string; value?: string }[];
    };
    // What is wrapped is compared as a message: a library writes some empty fields too.
    const resources = response.resources.map((one) =>
      one.type_url === URL && one.value !== undefined
        ? own.toObject(own.decode(Buffer.from(one.value, 'base64')), options)
        : one,
    );
    return { ...response, resources };
  };
  for (let round = 0; round < 200; round += 1) {
    const list = Array.from({ length: random(6) }, resource);
    const set = { version: text(), resources: new Map(list.map((one) => [one.name, one])) };
    const send: Send = {
      type: `type.googleapis.com/${text()}`,
      nonce: text(),
      version: set.version,
      resources: random(2) === 0 ? wholeOf(set) : list,
      removed: Array.from({ length: random(3) }, text),
      heartbeat: random(4) === 0,
      queuedMs: 0,
    };
    const expected = read(type.encode(type.create(plain(variant, send))).finish());
    expect(read(bytesOf(responseBytes(variant, send)))).toEqual(expected);
    // Joined once, and again the same.
    expect(read(bytesOf(responseBytes(variant, { ...send })))).toEqual(expected);
  }
});

it('resources of a whole set are joined once for all streams', () => {
  const big = { name: 'a', version: '1', body: new Uint8Array(1_000_000) };
  const set = { version: '1', resources: new Map([['a', big]]) };
  const send = { type: 't', nonce: 'n', version: '1', resources: wholeOf(set), removed: [], queuedMs: 0 };
  const first = bytesOf(responseBytes('delta', send));
  big.body.fill(1);
  // Seen from the bytes that were joined before, which nobody may change in truth.
  expect(bytesOf(responseBytes('delta', send)).equals(first)).toBe(true);
  expect(bytesOf(responseBytes('delta', { ...send, resources: [big] })).equals(first)).toBe(false);
});
