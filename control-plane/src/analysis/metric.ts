/**
 * The Metric port: one measure of a new version against the old one over the same time. When it is measured, and what follows, is the
 * rollout's. A metric never decides on fewer than `minSample` attempts, and says its figures in a sentence.
 */
import type { z } from 'zod';
import type { Verdict } from '../model/rollout.ts';

/** Counts of one version since the new one got its present share of sessions. */
export interface VersionFigures {
  readonly version: number;
  /** Attempts to open a session, and those of them that failed. Neither counts clients that left before an answer, nor those turned away. */
  readonly attempts: number;
  readonly failures: number;
  /** Clients that the agent itself would not let in: 401, 403. */
  readonly turnedAway: number;
  /** Sessions that were opened, and those that ended soon after on the side of their agent, which closes too when a client says goodbye. */
  readonly opened: number;
  readonly brokenEarly: number;
  /** Time from the upgrade request to the agent's 101: how many took at most `upToMs` and more than the entry before. Ascending. */
  readonly handshakes: readonly { readonly upToMs: number; readonly count: number }[];
  readonly probes: number;
  readonly probeFailures: number;
  /** Instances of it that ended by themselves. */
  readonly crashes: number;
}

export interface LogCount {
  readonly lines: number;
  /** Those of them that tell of an error. */
  readonly errors: number;
}

export interface MetricInput {
  readonly service: string;
  /** The new version. */
  readonly canary: VersionFigures;
  /** The old one. */
  readonly stable: VersionFigures;
  readonly minSample: number;
  /** Percent of new sessions that go to the new version. */
  readonly weight: number;
  /** Reads the newest lines of every instance of a version: it costs, so it is done only where it is asked for. */
  readonly logsOf: (version: number) => Promise<LogCount>;
  /** This look may call a version worse that is as good with at most this chance. */
  readonly falseAlarm: number;
}

export interface Reading {
  readonly verdict: Verdict;
  /** The figures and what they say, without full stop. */
  readonly message: string;
}

/** Never throws and never outlives the signal: what can't be had is `inconclusive` with the reason. */
export type Measure = (input: MetricInput, signal: AbortSignal) => Promise<Reading>;

export interface Metric<Options> {
  readonly name: string;
  /** One line for the documentation. */
  readonly about: string;
  readonly options: z.ZodType<Options>;
  create(options: Options): Measure;
}
