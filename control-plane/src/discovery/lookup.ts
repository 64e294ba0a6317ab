/** One look-up of a name. Never throws: what can't be told is an outcome too. */
import { Resolver, lookup as askMachine } from 'node:dns/promises';
import { hostsFile } from './hosts-file.ts';

export type Outcome =
  | {
      readonly found: 'addresses';
      readonly addresses: readonly string[];
      /** How long this may be taken for true. */
      readonly ttlMs: number;
      /** The family of which nobody could tell. */
      readonly untold?: 4 | 6;
    }
  /** The DNS says that there are none. */
  | { readonly found: 'nothing'; readonly reason: string }
  /** Nobody could tell. */
  | { readonly found: 'failure'; readonly reason: string };

/** `name` in lower case. */
export type Lookup = (name: string) => Promise<Outcome>;

/** Of what comes without one. */
const NO_TTL_MS = 5_000;
const TIMEOUT_MS = 2_000;
const LOOPBACK = ['127.0.0.1', '::1'];

/** The DNS's own answers. https://nodejs.org/api/dns.html#error-codes */
const NOTHING: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name (NXDOMAIN)',
  ENODATA: 'the name has no A and no AAAA record',
};
const FAILURES: Readonly<Record<string, string>> = {
  ESERVFAIL: 'the DNS server can not tell (SERVFAIL)',
  EREFUSED: 'the DNS server refuses to tell (REFUSED)',
  ETIMEOUT: 'no DNS server answers',
  ECONNREFUSED: 'no DNS server answers (connection refused)',
  EBADRESP: 'the DNS server answers what is no DNS',
  EAI_AGAIN: 'no DNS server answers',
};
const failure = (code: string): Outcome => ({
  found: 'failure',
  reason: FAILURES[code] ?? `the look-up fails (${code})`,
});

type Records = readonly { readonly address: string; readonly ttl: number }[];
type Answer = { readonly records: Records } | { readonly code: string };

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';

async function answer(asked: Promise<Records>): Promise<Answer> {
  try {
    return { records: await asked };
  } catch (error) {
    return { code: codeOf(error) };
  }
}

const recordsOf = (one: Answer): Records => ('records' in one ? one.records : []);
const failureOf = (one: Answer): string | undefined =>
  'code' in one && NOTHING[one.code] === undefined ? one.code : undefined;

async function askServers(name: string, servers: readonly string[], timeout: number): Promise<Outcome> {
  // A new one each time: it reads anew which servers this machine has, and on a laptop they change.
  const resolver = new Resolver({ timeout, tries: 2 });
  if (servers.length > 0) resolver.setServers(servers);
  const [v4, v6] = await Promise.all([
    answer(resolver.resolve4(name, { ttl: true })),
    answer(resolver.resolve6(name, { ttl: true })),
  ]);
  const records = [...recordsOf(v4), ...recordsOf(v6)];
  const failed = failureOf(v4) ?? failureOf(v6);
  if (records.length > 0)
    return {
      found: 'addresses',
      addresses: records.map(({ address }) => address),
      ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1_000,
      ...(failed === undefined ? {} : { untold: recordsOf(v4).length === 0 ? 4 : 6 }),
    };
  if (failed !== undefined) return failure(failed);
  const noSuchName = [v4, v6].every((one) => 'code' in one && one.code === 'ENOTFOUND');
  return { found: 'nothing', reason: NOTHING[noSuchName ? 'ENOTFOUND' : 'ENODATA'] ?? '' };
}

/** It holds a thread of the few that files are read with too: one after another. */
let machine: Promise<unknown> = Promise.resolve();

async function askTheMachine(name: string): Promise<Outcome> {
  const asked = machine.then(async () => askMachine(name, { all: true, order: 'verbatim' }));
  machine = asked.catch(() => undefined);
  try {
    return { found: 'addresses', addresses: (await asked).map(({ address }) => address), ttlMs: NO_TTL_MS };
  } catch (error) {
    const reason = NOTHING[codeOf(error)];
    return reason === undefined ? failure(codeOf(error)) : { found: 'nothing', reason };
  }
}

/** `servers`: `ip`, `ip:port` or `[ip]:port`; none: those of this machine. Each is waited for `timeoutMs`, twice. */
export function createLookup(servers: readonly string[], timeoutMs = TIMEOUT_MS): Lookup {
  return async (name) => {
    const bare = name.replace(/\.$/, '');
    const hosts = (await hostsFile()).get(bare);
    if (hosts !== undefined) return { found: 'addresses', addresses: hosts, ttlMs: NO_TTL_MS };
    // https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    if (bare === 'localhost' || bare.endsWith('.localhost'))
      return { found: 'addresses', addresses: LOOPBACK, ttlMs: NO_TTL_MS };
    const told = await askServers(name, servers, timeoutMs);
    // Names by search domains and mDNS are known to the machine's own resolver alone.
    return told.found === 'nothing' && servers.length === 0 ? askTheMachine(name) : told;
  };
}
