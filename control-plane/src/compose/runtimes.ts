/** Every runtime, built-in and from plugins, each with a folder of its own below the data folder. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Drivers } from '../drivers.ts';
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Closers } from './closers.ts';

export async function createRuntimes(
  config: Config,
  drivers: Drivers,
  { now, log }: { now: () => number; log: Log },
  closers: Closers,
): Promise<ReadonlyMap<string, Runtime>> {
  const runtimes = await Promise.all(
    [...drivers.runtimes].map(async ([name, driver]) => {
      const options = name === 'process' ? config.agents : {};
      const folder = join(config.dataFolder, name === 'process' ? 'instances' : name);
      const context = { folder, now, log, environment: config.environment };
      const runtime = await driver.create(driver.options.parse(options), context);
      closers.add(async () => runtime.close());
      return [name, runtime] as const;
    }),
  );
  return new Map(runtimes);
}
