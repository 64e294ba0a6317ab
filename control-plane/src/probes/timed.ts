/** What all probes share: the clock around a check, and words for what went wrong. */
import type { HealthProbe, ProbeLevel, ProbeResult, ProbeTarget } from './probe.ts';

/** Tells what is waited for from now on, and at which level that is. */
export type Doing = (what: string, level: ProbeLevel) => void;

/** A check resolves with what it saw when all is well, and rejects with an Error whose message says what is not. */
export type Check = (target: ProbeTarget, signal: AbortSignal, doing: Doing) => Promise<string>;

const UNTRUSTED = 'its certificate comes from no authority that is trusted here (gateway.tls.ca)';
const NO_TLS = 'does not speak TLS';

const KNOWN: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'host not found',
  ETIMEDOUT: 'connection timed out',
  EPIPE: 'connection closed while writing',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
};

/** What the system says where nobody answers. */
const UNANSWERED: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ETIMEDOUT']);

function words(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (KNOWN[code] !== undefined) return KNOWN[code];
  return error instanceof Error && error.message !== '' ? error.message : 'failed without a reason';
}

/** A timeout says what was being waited for; `first` is the level of what comes before the first `doing`. */
export function timed(check: Check, first: ProbeLevel = 'tcp'): HealthProbe {
  return async (target, signal): Promise<ProbeResult> => {
    const start = performance.now();
    let waitingFor = 'a connection';
    let level = first;
    const took = (): number => Math.round((performance.now() - start) * 10) / 10;
    try {
      signal.throwIfAborted();
      const reason = await check(target, signal, (what, at) => {
        waitingFor = what;
        level = at;
      });
      return { ok: true, latencyMs: took(), reason };
    } catch (error) {
      const reason = signal.aborted
        ? `timed out after ${Math.round(took())} ms waiting for ${waitingFor}`
        : words(error);
      const unanswered =
        level === 'tcp' && (signal.aborted || UNANSWERED.has((error as NodeJS.ErrnoException).code ?? ''));
      return {
        ok: false,
        latencyMs: took(),
        reason,
        failedAt: level,
        ...(unanswered ? { unanswered: true as const } : {}),
      };
    }
  };
}
