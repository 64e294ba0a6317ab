/** What the instances' processes use of the machine, sampled from the runtimes that tell it. */
import type { Runtime } from '../runtime/runtime.ts';

export interface Usage {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

export interface UsageSampler {
  get(instance: string): Usage | undefined;
  close(): void;
}

export interface UsageOptions {
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

const FIRST_MS = 1_000;
/** Looking through all processes costs up to some ten milliseconds, so it is not done often. */
const EVERY_MS = 5_000;

export function createUsageSampler({ runtimes, now, onError }: UsageOptions): UsageSampler {
  let before = new Map<string, { cpuMs: number; at: number }>();
  let usages = new Map<string, Usage>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function sample(): Promise<void> {
    const next = new Map<string, Usage>();
    const seen = new Map<string, { cpuMs: number; at: number }>();
    for (const runtime of runtimes.values()) {
      for (const [instance, { cpuMs, memoryBytes }] of (await runtime.usage?.()) ?? []) {
        const at = now();
        const last = before.get(instance);
        seen.set(instance, { cpuMs, at });
        // A process that was started again counts from zero.
        const used = last === undefined || cpuMs < last.cpuMs || at <= last.at ? 0 : cpuMs - last.cpuMs;
        next.set(instance, { cpuCores: last === undefined ? 0 : used / Math.max(1, at - last.at), memoryBytes });
      }
    }
    before = seen;
    usages = next;
  }

  function plan(ms: number): void {
    if (closed) return;
    timer = setTimeout(() => {
      void sample()
        .catch(onError)
        .finally(() => {
          plan(EVERY_MS);
        });
    }, ms);
    timer.unref();
  }
  plan(FIRST_MS);

  return {
    get: (instance) => usages.get(instance),
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
