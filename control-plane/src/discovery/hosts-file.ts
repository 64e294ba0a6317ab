/** Names of the machine's hosts file: it goes before the DNS, as in every other program of this machine. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

const FILE = process.platform === 'win32' ? join('C:\\Windows', 'System32', 'drivers', 'etc', 'hosts') : '/etc/hosts';

/** Addresses by name in lower case, in the order of the file. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const list = found.get(name.toLowerCase()) ?? [];
      if (!list.includes(address)) list.push(address);
      found.set(name.toLowerCase(), list);
    }
  }
  return found;
}

export async function hostsFile(file = FILE): Promise<ReadonlyMap<string, readonly string[]>> {
  return parseHosts(await readFile(file, 'utf8').catch(() => ''));
}
