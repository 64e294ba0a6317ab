/** What containers use, as the engine counts it. */
import type Docker from 'dockerode';
import type { ResourceUsage } from '../../runtime.ts';

/** Asking costs the engine some milliseconds a container. */
const AT_ONCE = 4;

async function one(docker: Docker, container: string): Promise<ResourceUsage | undefined> {
  try {
    const stats = await docker.getContainer(container).stats({ stream: false, 'one-shot': true });
    const { usage = 0, stats: parts } = stats.memory_stats as { usage?: number; stats?: Record<string, number> };
    // Pages of files that the kernel can drop at once are nobody's need; cgroup v2 and v1 name them differently.
    const droppable = parts?.['inactive_file'] ?? parts?.['total_inactive_file'] ?? 0;
    return {
      cpuMs: stats.cpu_stats.cpu_usage.total_usage / 1e6,
      memoryBytes: Math.max(0, usage - droppable),
      processes: (stats.pids_stats as { current?: number } | undefined)?.current ?? 0,
    };
  } catch {
    return undefined;
  }
}

/** `containers`: instance to container. One that has just ended is left out. */
export async function usageOf(
  docker: Docker,
  containers: ReadonlyMap<string, string>,
): Promise<Map<string, ResourceUsage>> {
  const found = new Map<string, ResourceUsage>();
  const waiting = [...containers];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const usage = await one(docker, next[1]);
      if (usage !== undefined) found.set(next[0], usage);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}
