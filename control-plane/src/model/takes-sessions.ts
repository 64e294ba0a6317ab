/** Whether clients get in: what `ready` means to whoever counts instances. In a file of its own, since the console loads no schemas. */
import type { HealthReport } from './health.ts';

/** Of an instance that is ready by its state. Null: nothing has looked at it since the control plane started, and nothing speaks against it. */
export const takesSessions = (health: Pick<HealthReport, 'verdict' | 'gateway'> | null | undefined): boolean =>
  health?.verdict !== 'unhealthy' && health?.gateway !== 'failed';
