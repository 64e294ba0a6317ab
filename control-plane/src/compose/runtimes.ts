/** Every runtime, built-in and from plugins, each with a folder of its own below the data folder. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Drivers } from '../drivers.ts';
import type { Log } from '../log.ts';
import { SwitchboardError, type Issue } from '../model/errors.ts';
import { parseAs } from '../model/parse.ts';
import type { Service } from '../model/service.ts';
import { createPortAllocator } from '../runtime/ports.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Closers } from './closers.ts';

/** What a service needs of its runtime, and is not there now. */
export const lackingFrom =
  (runtimes: ReadonlyMap<string, Runtime>) =>
  ({ spec: { runtime, launch } }: Service): readonly Issue[] =>
    launch === undefined ? [] : (runtimes.get(runtime)?.missing?.(launch) ?? []);

export async function createRuntimes(
  config: Config,
  drivers: Drivers,
  { now, log }: { now: () => number; log: Log },
  closers: Closers,
): Promise<ReadonlyMap<string, Runtime>> {
  for (const name of Object.keys(config.runtimes)) {
    if (drivers.runtimes.has(name)) continue;
    throw new SwitchboardError(
      'invalid',
      `bad settings: runtimes.${name}: there is no runtime ${name}: use one of ${[...drivers.runtimes.keys()].join(', ')}`,
    );
  }
  const { host, logs } = config.agents;
  const ports = createPortAllocator(host, config.agents.ports);
  const runtimes = await Promise.all(
    [...drivers.runtimes].map(async ([name, driver]) => {
      const options = parseAs(driver.options, config.runtimes[name] ?? {}, 'settings', `runtimes.${name}`);
      const folder = join(config.dataFolder, name === 'process' ? 'instances' : name);
      const context = { folder, host, ports, logs, now, log, environment: config.environment };
      const runtime = await driver.create(options, context);
      closers.add(async () => runtime.close());
      return [name, runtime] as const;
    }),
  );
  return new Map(runtimes);
}
