/** A real Prometheus and its promtool: those on PATH, else of Debian's package, unpacked below node_modules and not installed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { freePort } from '../../control-plane/src/home/free-port.ts';

const repository = resolve(import.meta.dirname, '../..');
export const prometheusFolder = join(repository, 'deploy/prometheus');
const UNPACKED = join(repository, 'node_modules/.cache/prometheus');

function onPath(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Error: says what is missing and how to get it. */
function programs(): { readonly prometheus: string; readonly promtool: string } {
  const [prometheus, promtool] = [onPath('prometheus'), onPath('promtool')];
  if (prometheus !== undefined && promtool !== undefined) return { prometheus, promtool };
  const script = join(repository, 'deploy/setup/debian-packages.mjs');
  const args = [script, '--unpack', UNPACKED, 'prometheus', 'promtool=prometheus'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`rules and dashboards are checked with a real Prometheus, and ${stderr.trim()}`);
  return { prometheus: join(UNPACKED, 'usr/bin/prometheus'), promtool: join(UNPACKED, 'usr/bin/promtool') };
}

export function promtool(...args: readonly string[]): { readonly ok: boolean; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(programs().promtool, args, { encoding: 'utf8', cwd: prometheusFolder });
  return { ok: status === 0, output: `${stdout}${stderr}` };
}

export interface RunningPrometheus extends AsyncDisposable {
  /** Of its HTTP API; the answer's `data`. Error: what Prometheus says. */
  get(path: string, query?: Readonly<Record<string, string>>): Promise<unknown>;
}

/** With the configuration that we ship, for another address and with a shorter interval. */
export async function startPrometheus(options: { apiUrl: string; token: string }): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'sb-prometheus-'));
  copyFileSync(join(prometheusFolder, 'rules.yaml'), join(folder, 'rules.yaml'));
  writeFileSync(join(folder, 'switchboard.token'), options.token, { mode: 0o600 });
  const config = parse(readFileSync(join(prometheusFolder, 'prometheus.yaml'), 'utf8')) as {
    global: Record<string, string>;
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  config.global = { scrape_interval: '500ms', evaluation_interval: '500ms' };
  for (const job of config.scrape_configs) job.static_configs = [{ targets: [new URL(options.apiUrl).host] }];
  const configFile = join(folder, 'prometheus.yaml');
  writeFileSync(configFile, stringify(config));
  const checked = promtool('check', 'config', configFile);
  if (!checked.ok) throw new Error(checked.output);

  const port = await freePort('127.0.0.1');
  const running = spawn(
    programs().prometheus,
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  running.stderr.on('data', (part: Buffer) => (output = (output + part.toString()).slice(-4_000)));
  const end = async (): Promise<void> => {
    if (running.exitCode === null && running.signalCode === null) {
      const gone = once(running, 'exit');
      running.kill('SIGKILL');
      await gone;
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const url = `http://127.0.0.1:${port}`;
  for (let round = 0; ; round += 1) {
    const ready = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (ready?.ok === true) break;
    if (round > 300 || running.exitCode !== null) {
      await end();
      throw new Error(`Prometheus does not answer: ${output}`);
    }
    await sleep(50);
  }
  return {
    async get(path, query = {}) {
      const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query).toString()}`);
      const body = (await answer.json()) as { status: string; data?: unknown; error?: string };
      if (body.status !== 'success') throw new Error(body.error ?? `status ${answer.status}`);
      return body.data;
    },
    [Symbol.asyncDispose]: end,
  };
}
