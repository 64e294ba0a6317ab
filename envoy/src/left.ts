/** What is known of the Envoys of a folder before they are looked after. */
import { join } from 'node:path';
import { controlPlaneOf, type Address } from './bootstrap.ts';
import { isAlive } from './identity.ts';
import { RECORD, readRecord } from './record.ts';

/**
 * Where those that run look for their control plane: each does so for as long as it lives, to tell of its sessions. One after the other, without doubles.
 */
export function controlPlanesOf(folder: string): readonly Address[] {
  const record = readRecord(join(folder, RECORD));
  if (record === undefined) return [];
  const { former } = record;
  const texts = [
    ...(isAlive(record.process) ? [record.bootstrap] : []),
    // One of before it was written down has the same as the one that took over from it.
    ...(former != null && isAlive(former.process) ? [former.bootstrap ?? record.bootstrap] : []),
  ];
  const found = new Map<string, Address>();
  for (const text of texts) {
    const address = controlPlaneOf(text);
    if (address !== undefined) found.set(`${address.host} ${address.port}`, address);
  }
  return [...found.values()];
}
