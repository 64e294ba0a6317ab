import { describe, expect, it } from 'vitest';
import type { Resolution } from '../discovery/names.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { fixedId } from './addresses.ts';
import { plan } from './plan.ts';
import { applyPlan } from './records.ts';
import { T0, makeInstance, makeService, makeView } from './testing.ts';

const NAME = 'agent.example';
const at = (addresses: unknown[]): Service => makeService({ runtime: 'external', addresses });
const byName = at([{ host: NAME, port: 7001 }]);

interface World {
  readonly instances: Map<string, Instance>;
  now: number;
  /** What the plan says and does: `create`, `drain` and so on, with where it is. */
  step(known: Record<string, Resolution>, service?: Service): string[];
  ready(...hosts: string[]): void;
}

/** The plan is carried out, as the registry would. */
function makeWorld(): World {
  const instances = new Map<string, Instance>();
  const sick = new Set<string>();
  const world: World = {
    instances,
    now: T0,
    step(known, service = byName) {
      const facts = {
        of: (name: string) => known[name],
        isHealthy: ({ id }: Instance) => !sick.has(id),
        now: world.now,
      };
      const actions = plan(makeView(service, [...instances.values()]), () => 0, facts);
      const place = (one: Pick<Instance, 'address' | 'hostname'>): string => one.address?.host ?? one.hostname ?? '';
      const told: string[] = [];
      for (const [index, write] of applyPlan(actions, { now: world.now, randomId: () => 'x' }).entries()) {
        const what = actions[index]?.do ?? '';
        if (write.op === 'create') {
          instances.set(write.instance.id, write.instance);
          told.push(`${what} ${place(write.instance)}`);
        } else {
          const old = instances.get(write.id);
          if (old === undefined) continue;
          told.push(`${what} ${place(old)}`);
          if (write.op === 'delete') instances.delete(write.id);
          else instances.set(write.id, { ...old, ...write.patch } as Instance);
        }
      }
      return told;
    },
    ready(...hosts) {
      for (const [id, one] of instances)
        if (hosts.includes(one.address?.host ?? ''))
          instances.set(id, { ...one, state: 'ready', readyAt: new Date(world.now).toISOString() });
    },
  };
  return world;
}

const has = (...addresses: string[]): Record<string, Resolution> => ({ [NAME]: { addresses } });
const fails = (addresses?: string[]): Record<string, Resolution> => ({
  [NAME]: { addresses, problem: 'no DNS server answers' },
});
const gone: Record<string, Resolution> = { [NAME]: { addresses: [], problem: 'there is no such name (NXDOMAIN)' } };

describe('a service at a name', () => {
  it('has an instance at each address, and an address the same id as if it stood in the spec itself', () => {
    const world = makeWorld();
    expect(world.step({})).toEqual([]);
    expect(world.step(has('10.0.0.1', '10.0.0.2'))).toEqual(['create-fixed 10.0.0.1', 'create-fixed 10.0.0.2']);
    expect(world.instances.get(fixedId('weather', '10.0.0.1', 7001))).toMatchObject({
      address: { host: '10.0.0.1', port: 7001 },
      hostname: NAME,
    });
    expect(world.step(has('10.0.0.1', '10.0.0.2'))).toEqual([]);
  });

  it('hands over: what has left the name goes when what has come is ready, and its sessions may go on', () => {
    const world = makeWorld();
    world.step(has('10.0.0.1'));
    world.ready('10.0.0.1');
    expect(world.step(has('10.0.0.2'))).toEqual(['create-fixed 10.0.0.2']);
    world.now += 1_000;
    expect(world.step(has('10.0.0.2'))).toEqual([]);
    world.ready('10.0.0.2');
    expect(world.step(has('10.0.0.2'))).toEqual(['drain 10.0.0.1']);
    expect(world.instances.get(fixedId('weather', '10.0.0.1', 7001))?.drain).toMatchObject({
      reason: 'NameChanged',
      policy: 'wait',
    });
    expect(world.step(has('10.0.0.1', '10.0.0.2'))).toEqual(['resume 10.0.0.1']);
    expect(world.instances.get(fixedId('weather', '10.0.0.1', 7001))?.drain).toBeUndefined();
  });

  it('does not wait for long for what does not get ready, and not at all when nothing has come', () => {
    const world = makeWorld();
    world.step(has('10.0.0.1'));
    world.ready('10.0.0.1');
    world.step(has('10.0.0.2'));
    world.now += 5_001;
    expect(world.step(has('10.0.0.2'))).toEqual(['drain 10.0.0.1']);
    world.step(has('10.0.0.1'));
    expect(world.step(gone)).toEqual([`create-fixed ${NAME}`, 'drain 10.0.0.1']);
    const told = world.instances.get(fixedId('weather', NAME, 7001));
    expect(told).toMatchObject({
      state: 'unknown',
      reason: 'NameNotResolved',
      message: `${NAME} has no address: there is no such name (NXDOMAIN)`,
    });
    expect(told?.address).toBeUndefined();
    expect(world.step(has('10.0.0.1'))).toEqual([`resume 10.0.0.1`, `remove ${NAME}`]);
  });

  it('keeps what is known while nobody can tell, and says so, also after a restart', () => {
    const world = makeWorld();
    world.step(has('10.0.0.1'));
    world.ready('10.0.0.1');
    const id = fixedId('weather', '10.0.0.1', 7001);
    expect(world.step(fails(['10.0.0.1']))).toEqual(['follow 10.0.0.1']);
    expect(world.instances.get(id)?.conditions).toMatchObject([
      { type: 'NameResolved', status: 'false', reason: 'NameNotResolved' },
    ]);
    // Nothing is remembered: not asked yet, then no answer.
    expect(world.step({})).toEqual(['follow 10.0.0.1']);
    expect(world.step(fails())).toEqual(['follow 10.0.0.1']);
    expect(world.instances.get(id)?.state).toBe('ready');
    expect(world.step(has('10.0.0.1'))).toEqual(['follow 10.0.0.1']);
    expect(world.instances.get(id)?.conditions).toEqual([]);
  });

  it('that never was found says why on an instance without an address', () => {
    const world = makeWorld();
    expect(world.step(fails())).toEqual([`create-fixed ${NAME}`]);
    expect(world.step({})).toEqual([`follow ${NAME}`]);
    expect(world.step(gone)).toEqual([`follow ${NAME}`]);
    expect(world.step(gone)).toEqual([]);
    expect(world.step(has('10.0.0.1'))).toEqual(['create-fixed 10.0.0.1', `remove ${NAME}`]);
  });

  it('takes the family that works, IPv4 if both do, and tries both until then', () => {
    const world = makeWorld();
    const both = has('127.0.0.1', '::1');
    expect(world.step(both)).toEqual(['create-fixed 127.0.0.1', 'create-fixed ::1']);
    world.ready('::1');
    expect(world.step(both)).toEqual(['remove 127.0.0.1']);
    expect(world.step(both)).toEqual([]);
    expect(world.step(has('127.0.0.1'))).toEqual(['create-fixed 127.0.0.1']);
    world.ready('127.0.0.1');
    expect(world.step(both)).toEqual(['drain ::1']);
  });

  it('shares an address with another name or with one that stands there itself', () => {
    const world = makeWorld();
    const service = at([
      { host: NAME, port: 7001 },
      { host: 'other.example', port: 7001 },
      { host: '10.0.0.9', port: 7001 },
    ]);
    const names = (...addresses: string[]): Record<string, Resolution> => ({
      [NAME]: { addresses },
      'other.example': { addresses: ['10.0.0.1', '10.0.0.9'] },
    });
    expect(world.step(names('10.0.0.1'), service)).toEqual(['create-fixed 10.0.0.9', 'create-fixed 10.0.0.1']);
    world.ready('10.0.0.1', '10.0.0.9');
    // Its first name has left it: it is the other one's now.
    expect(world.step(names('10.0.0.9'), service)).toEqual(['follow 10.0.0.1']);
    expect(world.instances.get(fixedId('weather', '10.0.0.1', 7001))?.hostname).toBe('other.example');
  });

  it('gives its instances the tags, zone and weight that its entry has now', () => {
    const world = makeWorld();
    world.step(has('10.0.0.1'));
    const written = at([{ host: NAME, port: 7001, tags: { gpu: 'a100' }, zone: 'b', weight: 3 }]);
    expect(world.step(has('10.0.0.1'), written)).toEqual(['follow 10.0.0.1']);
    expect(world.instances.get(fixedId('weather', '10.0.0.1', 7001))).toMatchObject({
      tags: { gpu: 'a100' },
      zone: 'b',
      weight: 3,
    });
    expect(world.step(has('10.0.0.1'), written)).toEqual([]);
  });

  it('leaves by its deadline when the entry is taken out, and is back when it is put back', () => {
    const world = makeWorld();
    world.step(has('10.0.0.1'));
    world.ready('10.0.0.1');
    expect(world.step({}, at([]))).toEqual(['drain 10.0.0.1']);
    expect(world.instances.get(fixedId('weather', '10.0.0.1', 7001))?.drain).toMatchObject({
      reason: 'AddressRemoved',
    });
    expect(world.step(has('10.0.0.1'))).toEqual(['resume 10.0.0.1']);
  });
});

describe('an address that stands in the spec itself', () => {
  const service = (fields: object): Service => at([{ host: '10.0.0.5', port: 7001, ...fields }]);

  it('follows its entry, and is back when it is put back', () => {
    const world = makeWorld();
    world.step({}, service({}));
    expect(world.step({}, service({ weight: 5 }))).toEqual(['follow 10.0.0.5']);
    world.ready('10.0.0.5');
    expect(world.step({}, at([]))).toEqual(['drain 10.0.0.5']);
    expect(world.step({}, service({ weight: 5 }))).toEqual(['resume 10.0.0.5']);
    expect([...world.instances.values()]).toMatchObject([{ weight: 5, state: 'ready' }]);
  });

  it('an instance without the entry is drained, and one that registered itself stays', () => {
    const registered = makeInstance({
      id: 'self',
      runtime: 'external',
      lease: { name: 'instance/self', token: 1, ttlMs: 1000 },
    });
    const world = makeWorld();
    world.instances.set('self', registered);
    expect(world.step({}, service({}))).toEqual(['create-fixed 10.0.0.5']);
  });
});
