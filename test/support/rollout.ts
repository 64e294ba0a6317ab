/** Waiting for a rollout. */
import type { World } from './world.ts';

/** Throws after `timeoutMs` with what the rollout was last. */
export async function rolloutIs(world: World, service: string, phase: string, timeoutMs: number): Promise<void> {
  await world.until(
    `the rollout is ${phase}`,
    async () => {
      const view = await world.client.rollout(service);
      if (view.phase !== phase) throw new Error(JSON.stringify(view));
      return true;
    },
    timeoutMs,
  );
}
