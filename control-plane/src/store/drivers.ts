/** Every store that can be named in the settings. To add one: its file in drivers/, its test, a line here. */
import { memoryStore } from './drivers/memory.ts';
import { sqliteStore } from './drivers/sqlite.ts';
import type { StoreDriver } from './store.ts';

export const storeDrivers: readonly StoreDriver<never>[] = [
  memoryStore,
  sqliteStore,
] as unknown as readonly StoreDriver<never>[];
