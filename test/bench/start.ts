/** From the command to the first session served, with everything installed. */
import { join } from 'node:path';
import { repository, startWorld } from '../support/world.ts';
import { bounded, median, type Figure } from './figure.ts';

export async function start(quick: boolean): Promise<Figure[]> {
  const times: number[] = [];
  const agents = ['weather', 'finance'].map((name) => ({
    kind: 'Service',
    name,
    spec: {
      launch: {
        command: [
          process.execPath,
          join(repository, `deploy/examples/agents/${name}.ts`),
          '--host',
          '{host}',
          '--port',
          '{port}',
        ],
      },
      probe: { type: 'myagent' },
    },
  }));
  for (let round = 0; round < (quick ? 2 : 5); round += 1) {
    const begin = performance.now();
    await using world = await startWorld({ seed: agents });
    const session = await world.open('weather');
    times.push((performance.now() - begin) / 1000);
    await session.close();
  }
  return [bounded('start to first session, warm', 's', median(times), times, 3)];
}
