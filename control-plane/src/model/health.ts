/** What the probes say of an instance now. Kept in memory: it is found anew within one interval after a restart. */
export interface HealthReport {
  readonly verdict: 'healthy' | 'unhealthy' | 'unknown';
  /** One sentence: the last result's reason. */
  readonly reason: string;
  readonly latencyMs: number;
  readonly checkedAt: string;
  readonly consecutiveFailures: number;
}
