/** `<data>/runtime.json`: where this control plane answers, for the CLI on this machine. It is there while the control plane runs. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemStatus } from '../model/system.ts';

export function writeRuntimeFile(data: string, system: SystemStatus): void {
  const file = join(data, 'runtime.json');
  const content = { pid: process.pid, apiUrl: system.api.url, gatewayUrl: system.gateway.url };
  writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removeRuntimeFile(data: string): void {
  rmSync(join(data, 'runtime.json'), { force: true });
}
