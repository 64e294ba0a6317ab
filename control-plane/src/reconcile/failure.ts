/** What follows when an instance ends by itself or does not become ready: backoff, and in a crash loop `failed`. Pure. */
import type { Instance } from '../model/instance.ts';
import type { FailureReason } from '../model/reasons.ts';
import type { Restart } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { InstancePatch } from '../registry/registry.ts';
import type { Exit } from '../runtime/runtime.ts';

/** What keeps it from starting may be over at any moment. */
const BLAMELESS_WAIT_MS = 5_000;

export interface Failure {
  readonly reason: FailureReason;
  /** A sentence without full stop. */
  readonly message: string;
  readonly exit?: Exit;
}

/** `random` in [0, 1) spreads the restarts of many instances that fell together by up to 20 % either way. */
export function afterFailure(
  instance: Instance,
  settings: Restart,
  failure: Failure,
  now: number,
  random: number,
): InstancePatch {
  const at = new Date(now).toISOString();
  const wasStable =
    instance.readyAt !== undefined && now - Date.parse(instance.readyAt) >= durationMs(settings.resetAfter);
  const recent = (wasStable ? [] : instance.failures).filter(
    (time) => now - Date.parse(time) < durationMs(settings.window),
  );
  // What the machine lacks, a port or a container engine, may come back by itself: that is no failure of the instance, and no crash loop.
  const blameless = failure.reason === 'Unavailable';
  const failures = blameless ? recent : [...recent, at];
  const common: InstancePatch = {
    failures,
    process: undefined,
    address: undefined,
    startedAt: undefined,
    readyAt: undefined,
    since: at,
    reason: failure.reason,
    ...(failure.exit === undefined ? {} : { lastExit: lastExitOf(failure.exit, at, instance.address) }),
  };
  if (!blameless && failures.length >= settings.maxFailures) {
    const message = `${failure.message}; gave up after ${failures.length} failures within ${settings.window}: \`switchboard start ${instance.service}\` tries again`;
    const reason = failure.reason === 'BadLaunch' ? failure.reason : 'CrashLoop';
    return { ...common, state: 'failed', reason, message, retryAt: undefined };
  }
  const doubled = durationMs(settings.initialBackoff) * 2 ** Math.max(0, failures.length - 1);
  const longest = Math.min(durationMs(settings.maxBackoff), blameless ? BLAMELESS_WAIT_MS : doubled);
  const wait = Math.round(longest * (0.8 + 0.4 * random));
  return {
    ...common,
    state: 'backoff',
    message: `${failure.message}; next try in ${(wait / 1000).toFixed(1)} s`,
    retryAt: new Date(now + wait).toISOString(),
  };
}

function lastExitOf(
  { code, signal, log, cause }: Exit,
  at: string,
  address: Instance['address'],
): NonNullable<Instance['lastExit']> {
  return {
    at,
    ...(address === undefined ? {} : { address }),
    code,
    signal,
    log: [...log],
    ...(cause === undefined ? {} : { cause: { ...cause } }),
  };
}

/** `ended by SIGKILL, 12 s after its start`, `ended with exit code 1, ...`. */
export function describeExit(instance: Instance, exit: Pick<Exit, 'code' | 'signal' | 'cause'>, now: number): string {
  const how =
    exit.signal !== null
      ? `by ${exit.signal}`
      : exit.code !== null
        ? `with exit code ${exit.code}`
        : 'while the control plane was away';
  const age =
    instance.startedAt === undefined
      ? ''
      : `, ${((now - Date.parse(instance.startedAt)) / 1000).toFixed(1)} s after its start`;
  return `ended ${how}${age}${exit.cause === undefined ? '' : `: ${exit.cause.message}`}`;
}
