/** `<data>/gateway-drain.json`: that the gateway of this machine takes no new connections. Envoy forgets it when it is started again; this does not. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayDrain } from '../model/drain.ts';

export function readGatewayDrain(folder: string): GatewayDrain | undefined {
  try {
    const { since, reason } = JSON.parse(readFileSync(join(folder, 'gateway-drain.json'), 'utf8')) as GatewayDrain;
    return { since, reason };
  } catch {
    // There is none, or nobody can read it: clients are let in.
    return undefined;
  }
}

export function writeGatewayDrain(folder: string, drain: GatewayDrain | undefined): void {
  const file = join(folder, 'gateway-drain.json');
  if (drain === undefined) {
    rmSync(file, { force: true });
    return;
  }
  writeFileSync(`${file}.new`, JSON.stringify(drain), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
