/**
 * Ports that were picked free are kept in the data folder: Envoy and clients outlive the control plane and must find it, and
 * each other, at the same place after a restart.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

export type PortName = 'gateway' | 'api' | 'xds';
type Kept = Partial<Record<PortName, number>>;

export interface PortKeeper {
  /** The configured port, or, where that is 0, the one picked earlier or a free one. */
  choose(name: PortName, host: string, configured: number): Promise<number>;
}

export function createPortKeeper(folder: string): PortKeeper {
  const file = join(folder, 'ports.json');
  let kept: Kept = {};
  try {
    kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;
  } catch {
    // None kept yet, or unreadable: free ones are picked anew.
  }
  return {
    async choose(name, host, configured) {
      const port = configured !== 0 ? configured : (kept[name] ?? (await freePort(host)));
      if (configured === 0 && kept[name] !== port) {
        kept = { ...kept, [name]: port };
        writeFileSync(`${file}.new`, JSON.stringify(kept), { mode: 0o600 });
        renameSync(`${file}.new`, file);
      }
      return port;
    },
  };
}
