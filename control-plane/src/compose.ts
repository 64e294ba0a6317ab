/**
 * The composition root. Start order: folder and lock, store, registry, gRPC for
 * Envoy, runtimes and loop (which finds again what runs), Envoy, API. Nothing is told to an Envoy before the registry is loaded
 * and what runs has been found. Stop order: the other way round; Envoy and the agents go on running.
 */
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTROL_PLANE_CLUSTER, bootstrap, createEnvoy, findEnvoy } from '@switchboard/envoy';
import { parseDocuments } from './api/body.ts';
import type { ApiContext } from './api/context.ts';
import { startApi } from './api/server.ts';
import type { Config } from './config.ts';
import { loadDrivers } from './drivers.ts';
import { lockFolder, prepareFolder } from './home/folder.ts';
import { createPortKeeper } from './home/ports.ts';
import { createRevisionLog } from './home/revisions.ts';
import { adminToken, sameToken } from './home/token.ts';
import type { Log } from './log.ts';
import { SwitchboardError, messageOf } from './model/errors.ts';
import type { ReadinessCheck, SystemStatus } from './model/system.ts';
import { impactOf } from './reconcile/impact.ts';
import { createLoop } from './reconcile/loop.ts';
import type { Instance } from './model/instance.ts';
import { createRegistry } from './registry/create.ts';
import { isAlive, ownIdentity } from './home/process-identity.ts';
import { backupStore } from './store/backup.ts';
import { accessLogService } from './telemetry/access-log.ts';
import { createSessionTable } from './telemetry/sessions.ts';
import { createTranslator } from './translate/create.ts';
import type { Problem } from './translate/options.ts';
import { startXdsServer } from './xds/server.ts';

export const VERSION = '0.1.0';
const NODE_ID = 'gateway-1';
const SESSION_REPORT_MS = 10_000;
const EXPIRE_MS = 1_000;

export interface ControlPlane {
  readonly system: SystemStatus;
  /** Ends the control plane; Envoy and the agents go on running. */
  close(): Promise<void>;
  /** Resolves when it was ended over the API. */
  readonly ended: Promise<void>;
}

export async function compose(config: Config, log: Log): Promise<ControlPlane> {
  const now = (): number => Date.now();
  const startedAt = new Date(now()).toISOString();
  const data = config.dataFolder;
  prepareFolder(data);
  const self = ownIdentity();
  const lock = lockFolder(data, self, isAlive);
  const closers: (() => Promise<void> | void)[] = [
    () => {
      lock.release();
    },
  ];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await build();
  } catch (error) {
    await closeAll();
    throw error;
  }

  async function build(): Promise<ControlPlane> {
    const token = adminToken(data);
    const keeper = createPortKeeper(data);
    const ports = {
      gateway: await keeper.choose('gateway', config.gateway.host, config.gateway.port),
      xds: await keeper.choose('xds', config.xds.host, config.xds.port),
      api: await keeper.choose('api', config.api.host, config.api.port),
    };
    const binary = await findEnvoy({ environment: config.environment, path: config.envoy.path });
    const drivers = await loadDrivers(config);
    const storeDriver = drivers.store(config.store.type);
    const storeFile = join(data, 'switchboard.db');
    const storeOptions =
      config.store.type === 'sqlite' ? { path: storeFile, ...config.store.options } : config.store.options;
    const store = await storeDriver.create(storeDriver.options.parse(storeOptions), { now });
    closers.push(async () => store.close());

    const sessions = createSessionTable({ now, intervalMs: SESSION_REPORT_MS });
    const sessionsOf = ({ address }: Instance): number =>
      address === undefined ? 0 : (sessions.counts().byUpstream.get(`${address.host}:${address.port}`) ?? 0);

    const xds = await startXdsServer({
      host: config.xds.host,
      port: ports.xds,
      log,
      now,
      services: [accessLogService(sessions)],
    });
    closers.push(async () => xds.close());
    const revisions = createRevisionLog(now, (revision) => xds.timeline(revision));
    const registry = await createRegistry({
      store,
      now,
      log,
      validate: (service) => drivers.validate(service),
      impactOf: (before, after) => impactOf(before, after, sessionsOf, now()),
      onCommit: (commit) => {
        revisions.committed(commit);
      },
    });
    closers.push(async () => registry.close());
    await seed();

    async function seed(): Promise<void> {
      if (config.seed.length === 0 || registry.view().services.size > 0 || registry.view().revision > 0) return;
      const documents = config.seed.flatMap((file) => {
        const path = resolve(config.baseFolder, file);
        try {
          return parseDocuments(readFileSync(path, 'utf8'));
        } catch (cause) {
          throw new SwitchboardError('invalid', `seed: ${path}: ${messageOf(cause)}`, { cause });
        }
      });
      if (documents.length === 0) return;
      const result = await registry.apply(documents, { actor: 'seed' });
      log.info(
        { resources: result.changes.map((change) => `${change.kind}/${change.name}`) },
        'the registry was empty: the seed was applied',
      );
    }

    const runtimes = new Map(
      await Promise.all(
        [...drivers.runtimes].map(async ([name, driver]) => {
          const options = name === 'process' ? config.agents : {};
          const folder = name === 'process' ? join(data, 'instances') : join(data, name);
          const runtime = await driver.create(driver.options.parse(options), {
            folder,
            now,
            log,
            environment: config.environment,
          });
          closers.push(async () => runtime.close());
          return [name, runtime] as const;
        }),
      ),
    );

    const translator = createTranslator({
      gateway: { host: config.gateway.host, port: ports.gateway },
      controlPlaneCluster: CONTROL_PLANE_CLUSTER,
      sessionReportMs: SESSION_REPORT_MS,
      policies: drivers.policies,
    });
    let problems: readonly Problem[] = [];
    const loop = createLoop({
      registry,
      runtimes,
      createProbe: (probe) => drivers.createProbe(probe),
      publish: (fleet) => {
        const translated = translator.translate(fleet);
        for (const problem of translated.problems) {
          if (!problems.some((old) => old.name === problem.name && old.message === problem.message))
            log.warn({ problem }, 'a resource can not be served as it is');
        }
        problems = translated.problems;
        xds.publish(translated.snapshot);
        revisions.published(fleet.revision);
      },
      sessionsAt: (upstream) => {
        const counts = sessions.counts();
        const known = counts.byUpstream.get(upstream) ?? 0;
        return known > 0 || counts.settled ? known : undefined;
      },
      isAcked: (revision) => {
        const { acked, pending, refused } = xds.report(revision);
        // With no gateway connected it is acknowledged only if none can be serving.
        return pending.length === 0 && (acked.length + refused.length > 0 || sessions.counts().settled);
      },
      now,
      random: Math.random,
      randomId: (length) =>
        Array.from({ length }, () => 'abcdefghijkmnpqrstuvwxyz23456789'[randomInt(32)] ?? 'x').join(''),
      log,
    });
    closers.push(async () => loop.close());
    await loop.start();

    const gateway = createEnvoy({
      folder: join(data, 'envoy'),
      binary: binary.path,
      version: binary.version,
      nodeId: NODE_ID,
      bootstrap: (adminPath) =>
        bootstrap({
          nodeId: NODE_ID,
          cluster: 'switchboard',
          zone: '',
          xds: { host: config.xds.host === '0.0.0.0' ? '127.0.0.1' : config.xds.host, port: ports.xds },
          variant: config.envoy.xds,
          adminPath,
          maxConnections: config.envoy.maxConnections,
        }),
      concurrency: config.envoy.concurrency,
      logLevel: config.envoy.logLevel,
      now,
      log,
    });
    closers.push(() => {
      gateway.close();
    });
    await gateway.start();

    const listeners = new Set<() => void>();
    const tell = (): void => {
      for (const listener of listeners) listener();
    };
    const noteGateway = (): void => {
      const { state, adopted } = gateway.status();
      const connected = xds.gateways().some((one) => one.node === NODE_ID);
      if (connected) sessions.gatewayConnected(NODE_ID, gateway.identity(), !adopted);
      else if (state === 'backoff' || state === 'stopped') sessions.gatewayGone(NODE_ID);
      else sessions.gatewayLost(NODE_ID);
    };
    gateway.watch(() => {
      noteGateway();
      loop.wake();
      tell();
    });
    noteGateway();
    xds.subscribe((event) => {
      if (event.kind === 'connected' || event.kind === 'disconnected') noteGateway();
      loop.wake();
      tell();
    });
    registry.subscribe(tell);
    sessions.subscribe(() => {
      loop.wake();
      tell();
    });
    const expiry = setInterval(() => {
      sessions.expire();
    }, EXPIRE_MS);
    expiry.unref();
    closers.push(() => {
      clearInterval(expiry);
    });

    let apiPort = ports.api;
    const urlHost = (host: string): string =>
      host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
    const system = (): SystemStatus => {
      const counts = sessions.counts();
      return {
        version: VERSION,
        startedAt,
        revision: registry.view().revision,
        controlPlane: { pid: process.pid, node: process.version },
        gateway: {
          url: `ws://${urlHost(config.gateway.host)}:${ports.gateway}`,
          host: config.gateway.host,
          port: ports.gateway,
        },
        api: { url: `http://${urlHost(config.api.host)}:${apiPort}`, host: config.api.host, port: apiPort },
        xds: { host: config.xds.host, port: ports.xds },
        data,
        envoy: gateway.status(),
        agents: [...registry.view().instances.values()].map(({ value }) => ({
          instance: value.id,
          service: value.service,
          state: value.state,
          pid: value.process?.pid ?? null,
          address: value.address === undefined ? null : `${value.address.host}:${value.address.port}`,
        })),
        sessions: { open: counts.total, settled: counts.settled },
      };
    };

    function readiness(): ReadinessCheck[] {
      const status = gateway.status();
      const connected = xds.gateways();
      const listening = connected.some(
        (one) =>
          one.types['lds']?.acked !== undefined &&
          one.types['lds'].acked !== '' &&
          one.types['rds']?.acked !== '' &&
          one.types['rds'] !== undefined,
      );
      return [
        { name: 'store', ok: true, message: `revision ${registry.view().revision}` },
        {
          name: 'envoy',
          ok: status.state === 'running' || status.state === 'starting',
          message: status.reason === '' ? status.state : `${status.state}: ${status.reason}`,
        },
        {
          name: 'gateway',
          ok: listening,
          message: listening
            ? `${connected.length} connected`
            : 'no Envoy has acknowledged its listener and routes yet',
        },
        {
          name: 'resources',
          ok: problems.length === 0,
          message:
            problems.length === 0
              ? 'all are served'
              : problems.map((one) => `${one.kind} ${one.name}: ${one.message}`).join('; '),
        },
      ];
    }

    const end = Promise.withResolvers<undefined>();
    const consoleFolder = fileURLToPath(new URL('../../console/dist', import.meta.url));
    const api: ApiContext = {
      registry,
      log,
      now,
      authenticate: (given) => (sameToken(given, token) ? { actor: 'admin' } : undefined),
      system,
      readiness,
      health: (instance) => loop.health(instance),
      sessions: () => sessions.list(),
      sessionCounts: () => sessions.counts(),
      gateways: () => xds.gateways(),
      whenAcked: async (revision, timeoutMs, signal) => xds.whenAcked(revision, timeoutMs, signal),
      revision: (revision) => revisions.find(revision),
      async *logs(instance, options) {
        const runtime = runtimes.get(registry.view().instances.get(instance)?.value.runtime ?? '');
        if (runtime === undefined)
          throw new SwitchboardError('unsupported', `${instance} runs elsewhere: its log is not here`);
        yield* runtime.logs(instance, options);
      },
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      async backup() {
        const path = join(data, `backup-${process.pid}-${now()}.db`);
        await backupStore(store, path);
        return {
          path,
          remove: async () => {
            rmSync(path, { force: true });
          },
        };
      },
      async shutdown({ drainMs }) {
        log.info({ drainMs }, 'everything ends');
        void (async () => {
          try {
            // Deciding stops first: nothing must be started again that is being ended.
            await loop.close();
            await gateway.stop({ drainMs });
            for (const runtime of runtimes.values())
              await Promise.all(
                (await runtime.list()).map(async (one) => runtime.stop(one.instance, { graceMs: 5_000 })),
              );
            rmSync(join(data, 'runtime.json'), { force: true });
            await closeAll();
          } catch (error) {
            log.error({ error }, 'not everything could be ended');
          } finally {
            end.resolve(undefined);
          }
        })();
      },
      consoleFolder: existsSync(join(consoleFolder, 'index.html')) ? consoleFolder : undefined,
    };
    const server = await startApi({ host: config.api.host, port: ports.api, version: VERSION, api });
    apiPort = server.port;
    closers.push(async () => server.close());

    const runtimeFile = join(data, 'runtime.json');
    writeFileSync(
      `${runtimeFile}.new`,
      JSON.stringify({ pid: process.pid, apiUrl: system().api.url, gatewayUrl: system().gateway.url }),
      { mode: 0o600 },
    );
    renameSync(`${runtimeFile}.new`, runtimeFile);
    log.info(
      { gateway: system().gateway.url, api: system().api.url, data, envoy: binary.source },
      'the control plane answers',
    );
    return { system: system(), close: closeAll, ended: end.promise };
  }
}
