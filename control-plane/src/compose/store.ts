/** The store that the settings name; SQLite's file lies in the data folder unless they say otherwise. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Drivers } from '../drivers.ts';
import type { Store } from '../store/store.ts';

export async function openStore(config: Config, drivers: Drivers, now: () => number): Promise<Store> {
  const driver = drivers.store(config.store.type);
  const options =
    config.store.type === 'sqlite'
      ? { path: join(config.dataFolder, 'switchboard.db'), ...config.store.options }
      : config.store.options;
  return driver.create(driver.options.parse(options), { now });
}
