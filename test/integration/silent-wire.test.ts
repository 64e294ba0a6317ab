/** What is slow or silent for a while is not dead: agents that do not read, and wires that carry nothing, on real connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { destroySocket } from '../../control-plane/src/home/destroy-socket.ts';
import { startFarHost } from '../support/far-host.ts';
import { echoService, repository, startWorld, type World } from '../support/world.ts';

const SILENCE_MS = 10_000;
const PORT = 9_000;

/** More than all buffers on the way hold, sent to an agent that reads nothing for ten seconds. */
async function overABusyAgent(world: World): Promise<void> {
  const session = await world.open('near');
  await session.ask(`read on after ${SILENCE_MS} ms`);
  let echoed = 0;
  session.socket.on('message', (data: Buffer) => {
    echoed += data.length;
  });
  const parts = 128;
  for (let part = 0; part < parts; part += 1) session.socket.send(Buffer.alloc(65_536, part));
  await world.until('all has come back', async () => echoed === parts * 65_536, SILENCE_MS + 20_000);
  await session.close();
}

it('a session lives while its agent reads nothing for ten seconds, and while its wire is silent for ten', async () => {
  await using far = await startFarHost([
    process.execPath,
    `${repository}/test/support/echo-agent.ts`,
    ...['--host', '{host}', '--port', String(PORT)],
  ]);
  const probe = { type: 'websocket', interval: '500ms', timeout: '500ms' };
  const spec = { runtime: 'external', addresses: [{ host: far.host, port: PORT }], probe };
  await using world = await startWorld({ seed: [echoService('near'), { kind: 'Service', name: 'far', spec }] });
  await world.ready('far', 1);
  const busy = overABusyAgent(world);
  const quiet = await world.open('far');
  const crowd = await world.crowd('far', 5);

  far.cut();
  await sleep(SILENCE_MS);
  const health = async () => (await world.client.instances({ service: 'far' })).items[0]?.health;
  expect(await health()).toMatchObject({ verdict: 'unhealthy' });
  expect(crowd.cut()).toBe(0);
  far.mend();
  // What is on its way is sent again at growing intervals.
  await world.until('it is well again', async () => (await health())?.verdict === 'healthy');
  expect(await quiet.ask('still here')).toBe('still here');
  const before = crowd.echoed();
  await world.until('messages flow again', async () => crowd.echoed() > before + 50);
  expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
  await crowd.close();
  await busy;

  // What the kernel does in the end where nobody answers, without waiting minutes for it.
  far.cut();
  await world.until('nothing answers', async () => (await health())?.verdict === 'unhealthy');
  const { items: open } = await world.client.sessions({ service: 'far' });
  expect(open).toHaveLength(1);
  expect(await destroySocket(open[0]?.upstreamLocal ?? '', open[0]?.upstream ?? '')).toBe(true);
  await quiet.closed;
  const endOf = async (id = ''): Promise<unknown> =>
    world.until('its end is told', async () => {
      const session = await world.client.session(id);
      return 'how' in session ? { how: session.how, endedBy: session.endedBy } : undefined;
    });
  expect(await endOf(open[0]?.id)).toEqual({ how: 'WireSilent', endedBy: 'gateway' });

  far.mend();
  const last = await world.until('it takes sessions again', async () => world.open('far'));
  const id = await world.until('it shows', async () => (await world.client.sessions({ service: 'far' })).items[0]?.id);
  far.kill();
  await last.closed;
  expect(await endOf(id)).toEqual({ how: 'AgentOrClientClosed', endedBy: 'agent' });
}, 90_000);
