/** What an agent needs and is not there: known when its service is written, told with what to do, never a crash loop, and over by itself once it is there. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { echoService, startWorld } from '../support/world.ts';

it('is told at apply, fails at once, and starts by itself when it comes', async () => {
  const environment: Record<string, string> = {};
  await using world = await startWorld({ environment });
  const [key, script, venv] = ['key', 'agent', 'python'].map((name) => join(world.folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(script, `#!${venv}\n`);
  chmodSync(script, 0o755);
  const launch = (env: object) => ({
    launch: { ...(echoService('x') as { spec: { launch: object } }).spec.launch, env },
  });
  const files = [
    echoService('from-env', launch({ KEY: { fromEnv: 'MODEL_KEY' } })),
    echoService('from-file', launch({ KEY: { fromFile: key } })),
    echoService('stale', { launch: { command: [script] } }),
  ].map((document) => {
    const path = join(world.folder, `${String(document['name'])}.json`);
    writeFileSync(path, JSON.stringify(document));
    return path;
  });
  const applied = await runCli(world, ['apply', ...files.flatMap((file) => ['-f', file])]);
  expect([applied.code, applied.stdout]).toEqual([
    0,
    'service/from-env created\nservice/from-file created\nservice/stale created\n',
  ]);
  const told = {
    'from-env':
      'spec.launch.env.KEY: the control plane has no environment variable MODEL_KEY: set it where the control plane runs and start that again, such as `MODEL_KEY=... npm start` (open sessions go on), or use {fromFile: PATH}',
    'from-file': `spec.launch.env.KEY: there is no file ${key} where the control plane runs: put it there`,
    stale: `spec.launch.command.0: its interpreter ${venv} is not there (first line of ${script})`,
  };
  for (const [name, text] of Object.entries(told))
    expect(applied.stderr).toContain(`warning: service ${name}: ${text}\n`);
  const instanceOf = async (service: string) => (await world.client.instances({ service })).items[0];
  for (const [name, text] of Object.entries(told)) {
    const failed = await world.until('it has failed', async () => {
      const one = await instanceOf(name);
      return one?.state === 'failed' ? one : undefined;
    });
    expect(failed).toMatchObject({
      reason: 'Missing',
      message: `can not be started: ${text}; it starts by itself once that is there`,
      restarts: 0,
      failures: [],
    });
    expect((await world.client.service(name)).status).toMatchObject({
      state: 'failed',
      message: `${failed.id} ${failed.message}`,
    });
  }
  const waited = await runCli(world, ['apply', '-f', files[0] ?? '', '--ready']);
  expect([waited.code, waited.stdout]).toEqual([7, 'service/from-env unchanged\n']);
  expect(waited.stderr).toContain(`can not be started: ${told['from-env']}`);
  expect(waited.stderr).not.toContain('switchboard logs');

  // A file may come at any time; a variable with the next control plane.
  writeFileSync(key, 's3cret\n');
  await world.ready('from-file', 1);
  environment['MODEL_KEY'] = 's3cret';
  await world.killControlPlane();
  await world.startControlPlane();
  await world.ready('from-env', 1);
  expect(await instanceOf('stale')).toMatchObject({ state: 'failed', reason: 'Missing', restarts: 0 });
  const events = (await world.client.events({ limit: 100 })).items.map(({ message }) => message);
  expect(events.filter((message) => message.includes('can not be started'))).toHaveLength(3);
  const again = await world.client.apply([echoService('from-env', launch({ KEY: { fromEnv: 'MODEL_KEY' } }))]);
  expect(again.warnings).toEqual([]);
});
