/**
 * Law 1 for every field: each field of every resource is changed alone, with sessions open. What ends was named beforehand by a dry run, with its time,
 * and what was named ends by then. A field without a sample fails here, with what is to be added.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { mergePatch } from '../../control-plane/src/api/merge-patch.ts';
import { isError } from '../../control-plane/src/model/errors.ts';
import { RouteDocument } from '../../control-plane/src/model/route.ts';
import { ServiceSpec } from '../../control-plane/src/model/service.ts';
import type { WriteResult } from '../../control-plane/src/model/write.ts';
import { startEchoAgent } from '../bench/processes.ts';
import { fieldsOf } from '../support/fields.ts';
import {
  changesInPlace,
  changesOfInstances,
  changesOfRoute,
  patchOf,
  whatToAdd,
  withoutSample,
  type Group,
} from '../support/samples.ts';
import type { Crowd } from '../support/sessions.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

type Spec = Record<string, unknown>;

/** How long open sessions may go on, here. */
const DEADLINE_MS = 1_500;
/** From there to the end: a replacement gets ready, and the agent is told to stop. */
const SLACK_MS = 25_000;
const DRAIN = { deadline: `${DEADLINE_MS}ms`, stopGrace: '1s' };
/** What the runtime of this test can't have, or this machine not give: refused, so nothing can end. */
const MAY_BE_REFUSED = /^launch\.(image|options|limits\..*)$/;

/** A service with sessions, and what writes have said of them so far. */
interface Watched {
  readonly name: string;
  readonly crowd: Crowd;
  /** Sessions that are to end, and those that perhaps will. */
  named: number;
  perhaps: number;
  readonly said: string[];
}

function note(watched: Watched, field: string, { impact }: WriteResult): void {
  const own = impact.instances.filter(({ service }) => service === watched.name);
  const sum = (some: typeof own): number => some.reduce((total, { sessions }) => total + sessions, 0);
  const perhaps = sum(own.filter(({ waitsFor }) => waitsFor !== undefined));
  watched.named += sum(own) - perhaps;
  watched.perhaps += perhaps;
  if (own.length > 0) watched.said.push(`${field}: ${JSON.stringify(impact)}`);
}

it('law 1: whatever field is changed, just those sessions end that were named beforehand, by their time', async () => {
  using afterwards = new DisposableStack();
  const elsewhere = await Promise.all([startEchoAgent(), startEchoAgent()]);
  afterwards.defer(() => {
    for (const agent of elsewhere) agent.stop();
  });
  const { command } = (echoService('x') as { spec: { launch: { command: string[] } } }).spec.launch;
  const surroundings = {
    command,
    other: 'other',
    addresses: elsewhere.map(({ port }) => ({ host: '127.0.0.1', port })),
  };
  const leaving = changesOfInstances(surroundings);
  const staying = changesInPlace(surroundings);
  const route = changesOfRoute('other', 'plain');
  const missing = [
    ...withoutSample(fieldsOf(ServiceSpec), [...leaving, ...staying]),
    ...withoutSample(
      fieldsOf(RouteDocument).filter((field) => field !== 'kind' && field !== 'name'),
      [route],
    ),
  ];
  expect(missing, whatToAdd(missing)).toEqual([]);

  const specOf = ({ base }: Group): Spec =>
    mergePatch({ ...(echoService('x')['spec'] as Spec), drain: DRAIN }, base) as Spec;
  const alone = leaving.flatMap((group) =>
    Object.entries(group.fields).map(([field, value], index) => ({
      name: `${group.name}-${index}`,
      field,
      value,
      spec: specOf(group),
    })),
  );
  const together = staying.map((group) => ({ name: group.name, fields: group.fields, spec: specOf(group) }));
  /** Those of a rollout and of the other operations. */
  const operated = operations();

  await using world = await startWorld({
    name: 'every field',
    waitReady: false,
    seed: [
      echoService('other'),
      // The agents of this test speak no TLS: with it they would get no sessions, so it comes with the first change.
      ...[...alone, ...together, ...operated].map(({ name, spec }) => ({
        kind: 'Service',
        name,
        spec: mergePatch(spec, { gateway: { tls: null } }),
      })),
    ],
  });
  const all = [...alone, ...together, ...operated];
  const watched = new Map<string, Watched>();
  for (const { name, spec } of all) {
    const replicas = Number(spec['replicas'] ?? 1);
    await world.until(
      `${name} is ready`,
      async () => (await world.client.service(name)).status.ready >= replicas,
      60_000,
    );
  }
  const each = Math.max(2, Math.ceil(100 / all.length));
  for (const { name } of all) {
    const crowd = await world.until(`${name} takes sessions`, async () => world.crowd(name, each, 1_000));
    watched.set(name, { name, crowd, named: 0, perhaps: 0, said: [] });
  }
  const at = (name: string): Watched => watched.get(name) ?? expect.fail(`no ${name}`);
  await world.until(
    'all sessions show',
    async () => (await world.client.sessions({ limit: 1 })).total === each * all.length,
  );

  /** Asks first, then does it. */
  const write = async (name: string, field: string, run: (dryRun: boolean) => Promise<WriteResult>): Promise<void> => {
    try {
      note(at(name), field, await run(true));
      await run(false);
    } catch (error) {
      if (!isError(error, 'invalid') || !MAY_BE_REFUSED.test(field))
        throw new Error(`${name}, ${field}: ${String(error)}`, { cause: error });
    }
  };
  const put = async (name: string, field: string, spec: Spec): Promise<void> =>
    write(name, field, async (dryRun) => world.client.putService(name, { kind: 'Service', name, spec }, { dryRun }));

  for (const { name, field, value, spec } of alone)
    await put(name, field, mergePatch(spec, field === 'runtime' ? value : patchOf(field, value)) as Spec);
  for (const { name, operate } of operated) await operate(world, async (field, run) => write(name, field, run));
  for (const { name, fields, spec } of together) {
    for (const [field, value] of Object.entries(fields)) {
      await put(name, field, mergePatch(spec, patchOf(field, value)) as Spec);
      const { said } = at(name);
      expect(said, `${field} ends sessions: give it a service of its own, in changesOfInstances`).toEqual([]);
    }
  }
  for (const [field, value] of Object.entries(route.fields)) {
    const document = mergePatch({ ...route.base, name: 'sample' }, patchOf(field, value));
    const { impact } = await world.client.putRoute('sample', document as Spec);
    expect(impact.instances, field).toEqual([]);
  }

  const outcome = (): string[] =>
    [...watched.values()].flatMap(({ name, crowd, named, perhaps, said }) => {
      const cut = crowd.cut();
      return cut >= named && cut <= named + perhaps
        ? []
        : [
            `${name}: ${cut} sessions ended, ${named} were named and ${perhaps} perhaps: ${said.join('; ') || 'nothing was said'}`,
          ];
    });
  const limit = Date.now() + DEADLINE_MS + SLACK_MS;
  while (outcome().length > 0 && Date.now() < limit) await sleep(250);
  // Whoever is too late to end is noticed too.
  await sleep(DEADLINE_MS + 1_000);
  expect(outcome()).toEqual([]);
  // Most of those that were to end have, so this has seen both.
  const ended = [...watched.values()].filter(({ crowd }) => crowd.cut() > 0).length;
  expect(ended).toBeGreaterThan(10);
  await Promise.all([...watched.values()].map(async ({ crowd }) => crowd.close()));
}, 240_000);

type Write = (field: string, run: (dryRun: boolean) => Promise<WriteResult>) => Promise<void>;

/** What takes more than one write, or none of a document. */
function operations(): { name: string; spec: Spec; operate: (world: World, write: Write) => Promise<void> }[] {
  const base = (more: Spec): Spec => ({ ...(echoService('x')['spec'] as Spec), drain: DRAIN, ...more });
  const changed = async (world: World, name: string, dryRun: boolean): Promise<WriteResult> =>
    world.client.patchService(name, { spec: { launch: { env: { MARK: 'changed' } } } }, { dryRun });
  const rolled = (name: string, rollout: Spec) => ({
    name,
    spec: base({ rollout }),
    operate: async (world: World, write: Write): Promise<void> => {
      await write('a new version', async (dryRun) => changed(world, name, dryRun));
    },
  });
  return [
    rolled('op-canary', { strategy: 'canary', steps: [{ weight: 50, pause: '0s' }] }),
    rolled('op-blue-green', { strategy: 'blue-green', keepOld: '500ms' }),
    rolled('op-recreate', { strategy: 'recreate' }),
    {
      name: 'op-promote',
      spec: base({ rollout: { strategy: 'canary', steps: [{ weight: 50, pause: 'manual' }] } }),
      async operate(world, write) {
        // It waits: these may go on until the next write, which names them with their time.
        const { impact } = await changed(world, 'op-promote', false);
        expect(impact).toMatchObject({ drains: impact.instances[0]?.sessions, instances: [{ waitsFor: 'promotion' }] });
        await world.until(
          'it waits for its promotion',
          async () => (await world.client.rollout('op-promote')).reason === 'AwaitsPromotion',
        );
        await write('promote-full', async (dryRun) =>
          world.client.steerRollout('op-promote', 'promote-full', { dryRun }),
        );
      },
    },
    {
      name: 'op-unhealthy',
      spec: base({ health: { restartAfter: '1s' } }),
      async operate(world, write) {
        // It answers 426 to a plain GET.
        const checks = [{ name: 'strict', type: 'http', interval: '200ms', failures: 1 }];
        await write('a failing check', async (dryRun) =>
          world.client.patchService('op-unhealthy', { spec: { health: { checks } } }, { dryRun }),
        );
        await world.until(
          'it fails',
          async () =>
            (await world.client.instances({ service: 'op-unhealthy' })).items[0]?.health?.verdict === 'unhealthy',
        );
        await write('health.onUnhealthy', async (dryRun) =>
          world.client.patchService('op-unhealthy', { spec: { health: { onUnhealthy: 'restart' } } }, { dryRun }),
        );
      },
    },
    {
      name: 'op-restart',
      spec: base({}),
      operate: async (world, write) =>
        write('restart', async (dryRun) => world.client.restart('op-restart', { dryRun })),
    },
    {
      name: 'op-drain',
      spec: base({ drain: { deadline: '1h', stopGrace: '1s' } }),
      async operate(world, write) {
        const id = (await world.client.instances({ service: 'op-drain' })).items[0]?.id ?? '';
        await world.client.drain({ kind: 'instance', id });
        await write('a nearer deadline', async (dryRun) =>
          world.client.drain({ kind: 'instance', id }, { deadline: '1500ms' }, { dryRun }),
        );
      },
    },
    {
      name: 'op-delete',
      spec: base({}),
      operate: async (world, write) =>
        write('delete', async (dryRun) => world.client.deleteService('op-delete', { dryRun })),
    },
    {
      name: 'op-now',
      spec: base({}),
      operate: async (world, write) =>
        write('stop now', async (dryRun) => world.client.stop('op-now', { dryRun, now: true })),
    },
  ];
}
