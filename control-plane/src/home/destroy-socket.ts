/**
 * Destroys one TCP connection of this machine from outside of the process that holds it: SOCK_DESTROY, by `ss -K`. It needs Linux, the
 * program ss, and the privilege CAP_NET_ADMIN. Envoy sees a reset and closes the other side at once.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { hostText, splitAddress } from '../model/address.ts';

const run = promisify(execFile);
const CAP_NET_ADMIN = 12;

/** Why it can't be done here; undefined: it can. */
export function whyNotDestroy(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux can destroy a connection from outside';
  try {
    const effective = /^CapEff:\s+([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    if (((BigInt(`0x${effective}`) >> BigInt(CAP_NET_ADMIN)) & 1n) === 0n)
      return 'the control plane lacks the privilege CAP_NET_ADMIN';
  } catch {
    return 'its own privileges can not be read';
  }
  return undefined;
}

/** True: a connection from `local` to `remote` (both `ip:port`) was destroyed; false: there is none on this machine. Throws when ss is missing or refuses. */
export async function destroySocket(local: string, remote: string): Promise<boolean> {
  const from = splitAddress(local);
  const to = splitAddress(remote);
  const filter = [
    'src',
    hostText(from.host),
    'sport',
    '=',
    `:${from.port}`,
    'dst',
    hostText(to.host),
    'dport',
    '=',
    `:${to.port}`,
  ];
  const { stdout } = await run('ss', ['-H', '-t', '-n', '-K', ...filter], { timeout: 5_000 });
  return stdout.trim() !== '';
}
