/** The worst delay of the event loop that looks after an agent which writes 100 MB of log a second. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Launch } from '../../control-plane/src/model/service.ts';
import { processRuntime } from '../../control-plane/src/runtime/drivers/process/runtime.ts';
import { createPortAllocator } from '../../control-plane/src/runtime/ports.ts';
import { bounded, type Figure } from './figure.ts';

const RATE = 100_000_000;
/** Ten thousand lines at a time, a hundred times a second. */
const FLOOD = `
const fs = require('node:fs');
const part = ('x'.repeat(99) + String.fromCharCode(10)).repeat(10_000);
const begin = Date.now();
let sent = 0;
setInterval(() => {
  while (sent < (Date.now() - begin) * ${RATE / 1000}) sent += fs.writeSync(1, part);
}, 10);`;

export async function logFlood(quick: boolean): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sb-flood-'));
  const runtime = await processRuntime.create(
    {},
    {
      folder,
      host: '127.0.0.1',
      ports: createPortAllocator('127.0.0.1', [31_500, 31_900]),
      logs: { maxBytes: 10_485_760, files: 10 },
      now: () => Date.now(),
      log: { info: () => undefined, warn: () => undefined },
      environment: process.env,
    },
  );
  const launch = Launch.parse({ command: [process.execPath, '-e', FLOOD] });
  const never = new AbortController();
  // The runtime itself keeps no process alive.
  const alive = setInterval(() => undefined, 1_000);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  try {
    await runtime.start({ instance: 'flood-1', service: 'flood', version: 1, launch }, never.signal);
    delay.enable();
    await sleep(quick ? 8_000 : 30_000);
    delay.disable();
  } finally {
    never.abort();
    await runtime.stop('flood-1', { graceMs: 0 });
    await runtime.close();
    clearInterval(alive);
    rmSync(folder, { recursive: true, force: true });
  }
  const worst = delay.max / 1e6;
  return [
    bounded(
      'log flood of 100 MB/s: worst delay of the event loop',
      'ms',
      worst,
      [delay.percentile(50) / 1e6, worst],
      100,
    ),
  ];
}
