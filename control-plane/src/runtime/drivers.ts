/** Every runtime that a service can name. To add one: its file in drivers/, its test, a line here. `external` needs none: its instances run elsewhere. */
import { dockerRuntime } from './drivers/docker/runtime.ts';
import { processRuntime } from './drivers/process/runtime.ts';
import type { RuntimeDriver } from './runtime.ts';

export const runtimeDrivers: readonly RuntimeDriver<never>[] = [
  processRuntime,
  dockerRuntime,
] as unknown as readonly RuntimeDriver<never>[];
