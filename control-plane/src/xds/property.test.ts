/**
 * Random publishes, ACKs, NACKs, pauses and reconnects against a model of Envoy, by seed. What must hold: whoever acknowledges ends with
 * exactly the snapshot; nothing is sent again without a reason; listeners are sent once; no route leads to a cluster that is not there.
 */
import { describe, expect, it } from 'vitest';
import { delta } from './delta.ts';
import type { Output, Send } from './events.ts';
import { seeded } from '../../../test/support/random.ts';
import type { Snapshot, TypeUrl } from './snapshot.ts';
import { sotw } from './sotw.ts';
import type { Stream } from './stream.ts';
import { ask, make, snapshot } from './testing.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from './types.ts';
import type { Variant } from './variant.ts';

const TYPES = [CLUSTER, ENDPOINT, LISTENER, ROUTE];

/** Envoy as far as it matters here: clusters ask for their endpoints, and are up once these came. */
class Model {
  readonly has = new Map<TypeUrl, Map<string, string>>(TYPES.map((type) => [type, new Map()]));
  readonly up = new Set<string>();
  readonly inbox: Send[] = [];
  /** Names that may be sent again at a known version. */
  readonly mayRepeat = new Set<string>();
  readonly repeated: string[] = [];
  listenersSent = 0;
  private readonly variant: Variant;
  private readonly open: () => Stream;
  private readonly isPartial: () => boolean;
  stream: Stream;
  private readonly nonces = new Map<TypeUrl, string>();
  private readonly asked = new Set<string>();

  constructor(variant: Variant, open: () => Stream, isPartial: () => boolean) {
    this.variant = variant;
    this.open = open;
    this.isPartial = isPartial;
    this.stream = open();
    this.connect();
  }

  of(type: TypeUrl): Map<string, string> {
    return this.has.get(type) ?? new Map<string, string>();
  }

  take(output: Output): void {
    this.inbox.push(...output.sends);
  }

  reconnect(): void {
    this.inbox.length = 0;
    this.nonces.clear();
    this.stream = this.open();
    this.connect();
  }

  private connect(): void {
    const isDelta = this.variant.name === 'delta';
    for (const name of this.asked) this.mayRepeat.add(`${ENDPOINT} ${name}`);
    if (!isDelta)
      for (const type of TYPES) for (const name of this.of(type).keys()) this.mayRepeat.add(`${type} ${name}`);
    for (const type of TYPES) {
      const names = type === ENDPOINT ? [...this.asked] : type === ROUTE ? ['r'] : [];
      if (type === ENDPOINT && names.length === 0) continue;
      const initialVersions = Object.fromEntries(this.of(type));
      const version = this.of(type).size > 0 ? 'v' : '';
      this.take(this.stream.request(ask(type, names, isDelta ? { initialVersions } : { version })));
    }
  }

  /** Takes one response from the inbox and answers it. */
  answer(): void {
    const send = this.inbox.shift();
    if (send === undefined) return;
    const { type, nonce, resources, removed } = send;
    const has = this.of(type);
    this.nonces.set(type, nonce);
    if (type === LISTENER && resources.length > 0) this.listenersSent += 1;
    const isFull = this.variant.name === 'sotw' && (type === CLUSTER || type === LISTENER);
    const bad = resources.filter(({ version }) => version.startsWith('bad'));
    for (const { name, version } of resources) {
      const key = `${type} ${name}`;
      if (!isFull && has.get(name) === version && !this.mayRepeat.has(key)) this.repeated.push(`${key}@${version}`);
      this.mayRepeat.delete(key);
    }
    if (bad.length > 0) {
      // A response that is refused may be applied in part, and may come again in parts.
      for (const { name, version } of resources) {
        this.mayRepeat.add(`${type} ${name}`);
        if (type === CLUSTER) this.mayRepeat.add(`${ENDPOINT} ${name}`);
        if (this.isPartial() && !version.startsWith('bad')) this.apply(type, name, version);
      }
      this.reply(type, nonce, 'refused');
      return;
    }
    if (isFull)
      for (const name of [...has.keys()]) if (!resources.some((one) => one.name === name)) this.drop(type, name);
    for (const { name, version } of resources) this.apply(type, name, version);
    for (const name of removed) this.drop(type, name);
    if (type === CLUSTER) this.askForEndpoints();
    this.reply(type, nonce);
  }

  private apply(type: TypeUrl, name: string, version: string): void {
    const has = this.of(type);
    // What came for a cluster that is gone meanwhile has no taker.
    if (type === ENDPOINT && !this.asked.has(name)) return;
    if (type === CLUSTER && has.get(name) !== version) {
      // Another form of a cluster waits for endpoints anew; the old one serves meanwhile.
      if (!has.has(name)) this.up.delete(name);
      this.mayRepeat.add(`${ENDPOINT} ${name}`);
    } else if (type === CLUSTER) this.mayRepeat.add(`${ENDPOINT} ${name}`);
    if (type === ENDPOINT) this.up.add(name);
    has.set(name, version);
  }

  private drop(type: TypeUrl, name: string): void {
    this.of(type).delete(name);
    if (type === CLUSTER) this.up.delete(name);
  }

  private askForEndpoints(): void {
    const wanted = this.of(CLUSTER);
    const add = [...wanted.keys()].filter((name) => !this.asked.has(name));
    const drop = [...this.asked].filter((name) => !wanted.has(name));
    if (add.length === 0 && drop.length === 0) return;
    for (const name of add) this.asked.add(name);
    for (const name of drop) {
      this.asked.delete(name);
      this.of(ENDPOINT).delete(name);
    }
    const nonce = this.nonces.get(ENDPOINT) ?? '';
    this.take(
      this.stream.request(
        this.variant.name === 'sotw'
          ? ask(ENDPOINT, [...this.asked], { nonce })
          : ask(ENDPOINT, add, { unsubscribe: drop }),
      ),
    );
  }

  private reply(type: TypeUrl, nonce: string, error?: string): void {
    const names =
      this.variant.name === 'delta' ? [] : type === ENDPOINT ? [...this.asked] : type === ROUTE ? ['r'] : [];
    this.take(this.stream.request(ask(type, names, { nonce, error })));
  }

  /** Clusters that the routes lead to, and that are not there and up. */
  broken(): string[] {
    const routes = this.of(ROUTE).get('r');
    if (routes === undefined) return [];
    return (routes.split(' ')[1] ?? '')
      .split('+')
      .filter((name) => name !== '' && !(this.of(CLUSTER).has(name) && this.up.has(name)));
  }
}

interface Run {
  readonly bad: boolean;
  readonly reconnects: boolean;
}

function run(variant: Variant, seed: number, { bad, reconnects }: Run): void {
  const random = seeded(seed).below;
  let revision = 0;
  let current: Snapshot;

  /** Some clusters, each with endpoints, and routes to some of them; the version of the routes tells which. */
  function publishable(withBad: boolean): Snapshot {
    revision += 1;
    const names = Array.from({ length: 8 }, (_, n) => `c${n}`).filter(() => random(3) > 0);
    const version = (): string => (withBad && random(12) === 0 ? `bad${random(3)}` : `v${random(3)}`);
    const targets = names.filter(() => random(2) === 0);
    return snapshot(revision, {
      cds: Object.fromEntries(names.map((name) => [name, version()])),
      eds: Object.fromEntries(names.map((name) => [name, version()])),
      lds: { l: '1' },
      rds: { r: `${version()} ${targets.join('+')}` },
    });
  }

  current = publishable(false);
  let opened = 0;
  const envoy = new Model(
    variant,
    () => {
      opened += 1;
      const stream = make(variant, undefined, { noncePrefix: `s${opened}-` });
      stream.snapshot(current);
      return stream;
    },
    () => random(2) === 0,
  );
  const drain = (): void => {
    for (let n = 0; envoy.inbox.length > 0; n += 1) {
      if (n > 5_000) throw new Error(`seed ${seed}: it never ends`);
      envoy.answer();
    }
  };
  drain();
  for (let step = 0; step < 120; step += 1) {
    const what = random(20);
    if (what < 6) {
      current = publishable(bad);
      envoy.take(envoy.stream.snapshot(current));
    } else if (what < 17) envoy.answer();
    else if (what === 17) envoy.take(envoy.stream.writable(random(2) === 0));
    else if (what === 18 && reconnects) envoy.reconnect();
    if (!bad && !(variant === sotw && reconnects)) expect([seed, step, envoy.broken()]).toEqual([seed, step, []]);
  }
  envoy.take(envoy.stream.writable(true));
  current = publishable(false);
  envoy.take(envoy.stream.snapshot(current));
  drain();
  for (const type of TYPES) {
    const wanted = [...(current.types.get(type)?.resources.values() ?? [])].map((one) => [one.name, one.version]);
    expect([seed, type, Object.fromEntries(envoy.of(type))]).toEqual([seed, type, Object.fromEntries(wanted)]);
  }
  expect([seed, envoy.repeated]).toEqual([seed, []]);
  expect([seed, envoy.broken()]).toEqual([seed, []]);
  expect(envoy.listenersSent).toBeLessThanOrEqual(variant === sotw ? opened : 1);
  expect(envoy.stream.settledRevision()).toBe(revision);
  expect([envoy.stream.refusals(), envoy.stream.behind()]).toEqual([[], []]);
  // The same again changes nothing.
  expect(envoy.stream.snapshot({ ...current, revision: revision + 1 }).sends).toEqual([]);
}

const SEEDS = 60;

describe.each([sotw, delta])('random histories: $name', (variant) => {
  it.each([
    ['all goes well', { bad: false, reconnects: false }],
    ['reconnects', { bad: false, reconnects: true }],
    ['refusals', { bad: true, reconnects: false }],
    ['refusals and reconnects', { bad: true, reconnects: true }],
  ])('%s', (_, options) => {
    for (let seed = 1; seed <= SEEDS; seed += 1) run(variant, seed, options);
  });
});
