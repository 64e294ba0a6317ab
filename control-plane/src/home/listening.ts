/** Where a process group listens for TCP, from Linux's /proc: so that an agent which listens elsewhere than it should can be told where. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { addressText, hostText } from '../model/address.ts';
import type { ProcessIdentity } from '../model/instance.ts';
import type { Address } from '../model/service.ts';
import { readStat } from './process-identity.ts';

const LISTEN = '0A';
/** The kernel writes addresses as words of the machine, and Node runs on little-endian ones alone. */
const bytesOf = (hex: string): Buffer =>
  Buffer.concat((hex.match(/.{8}/g) ?? []).map((word) => Buffer.from(word, 'hex').reverse()));

function hostOf(hex: string): string {
  const bytes = bytesOf(hex);
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(2 * n).toString(16)).join(':');
  // In its shortest form, like all that is compared with it.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

/** What /proc/<pid>/net/tcp or tcp6 tells: addresses that are listened on, by the inode of their socket. */
export function listeningIn(text: string): Map<string, Address> {
  const found = new Map<string, Address>();
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const [host, port] = local.split(':');
    if (state !== LISTEN || host === undefined || port === undefined || inode === undefined) continue;
    found.set(inode, { host: hostOf(host), port: parseInt(port, 16) });
  }
  return found;
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return entriesOf(folder).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });
}

/** A look through all processes costs milliseconds, and many agents may start at a time. */
const GROUPS_FRESH_MS = 1_000;
let groups: { readonly at: number; readonly members: ReadonlyMap<number, readonly number[]> } = {
  at: -Infinity,
  members: new Map(),
};

function membersOf(group: number): readonly number[] {
  if (performance.now() - groups.at > GROUPS_FRESH_MS) {
    const pids = entriesOf('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    const members = Map.groupBy(pids, (pid) => readStat(pid)?.group ?? 0);
    groups = { at: performance.now(), members };
  }
  return groups.members.get(group) ?? [];
}

/** Addresses on which the group of this process listens; none where that can't be seen, and of a process of another machine or container engine. */
export function listeningOf({ pid, startTime }: ProcessIdentity): Address[] {
  if (process.platform !== 'linux' || readStat(pid)?.startTime !== startTime) return [];
  const inodes = new Set([pid, ...membersOf(pid)].flatMap(socketsOf));
  if (inodes.size === 0) return [];
  return ['tcp', 'tcp6'].flatMap((name) => {
    try {
      return [...listeningIn(readFileSync(`/proc/${pid}/net/${name}`, 'utf8'))].flatMap(([inode, address]) =>
        inodes.has(inode) ? [address] : [],
      );
    } catch {
      return [];
    }
  });
}

const SHOWN = 3;

/** Of an agent that can't be connected to at `wanted`: where it listens instead. Undefined: nowhere yet, or there. */
export function listensElsewhere(found: readonly Address[], wanted: Address): string | undefined {
  const family = (host: string): boolean => host.includes(':');
  const all = (host: string): boolean => host === '0.0.0.0' || host === '::';
  const covers = ({ host, port }: Address): boolean =>
    port === wanted.port && (host === wanted.host || (all(host) && family(host) === family(wanted.host)));
  if (found.length === 0 || found.some(covers)) return undefined;
  const shown = found.slice(0, SHOWN).map((one) => {
    // It was connected to in vain: had its socket taken IPv4 too, it would have been found.
    const isIpv6Alone = one.host === '::' && one.port === wanted.port;
    return `${hostText(one.host)}:${one.port}${isIpv6Alone ? ' (IPv6 alone)' : ''}`;
  });
  const more = found.length > SHOWN ? ` and ${found.length - SHOWN} more` : '';
  return `listens on ${shown.join(', ')}${more}, not on ${addressText(wanted)}: pass {host} and {port} on to it, or let it read SWITCHBOARD_HOST and SWITCHBOARD_PORT`;
}
