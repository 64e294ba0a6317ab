/** Ports for agents: from a range, checked free by binding, and never given to two at once. */
import { isFree } from '../home/free-port.ts';
import { SwitchboardError } from '../model/errors.ts';

export interface PortAllocator {
  /** Error: `unavailable` when the range is used up. Release it when the agent has ended or could not be started. */
  take(): Promise<number>;
  /** Marks a port that an adopted agent holds. */
  keep(port: number): void;
  release(port: number): void;
}

export function createPortAllocator(host: string, [low, high]: readonly [number, number]): PortAllocator {
  const taken = new Set<number>();
  let next = low;
  return {
    async take() {
      for (let tries = low; tries <= high; tries += 1) {
        const port = next;
        // Going round, rather than the lowest free: a port that was just given back may still have connections in TIME_WAIT.
        next = next >= high ? low : next + 1;
        if (taken.has(port)) continue;
        taken.add(port);
        if (await isFree(host, port)) return port;
        taken.delete(port);
      }
      throw new SwitchboardError(
        'unavailable',
        `no port is free for another agent: all of ${low}-${high} on ${host} are in use`,
        {
          remedy: 'Widen the range with SWITCHBOARD_AGENTS_PORTS, such as 9100-9999.',
        },
      );
    },
    keep(port) {
      taken.add(port);
    },
    release(port) {
      taken.delete(port);
    },
  };
}
