/**
 * The Docker runtime: each instance is a container, found again by its labels. The engine is the truth about what runs; while it
 * can't be reached nothing counts as ended and nothing is started. Podman's socket of Docker's API serves as well.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerInspectInfo } from 'dockerode';
import { z } from 'zod';
import { SwitchboardError, messageOf } from '../../../model/errors.ts';
import { Duration, durationMs } from '../../../model/units.ts';
import type { Exit, Running, Runtime, RuntimeDriver, RuntimeEvent, StartRequest } from '../../runtime.ts';
import {
  LABELS,
  containerName,
  creation,
  exitOf,
  memoryLimitOf,
  runningOf,
  templateValues,
  type Placement,
} from './container.ts';
import { createEngine, type EngineEvent } from './engine.ts';
import { ensureImage } from './image.ts';
import { LaunchOptions, NETWORKS, checkContainer } from './launch.ts';
import { lastWords, readLogs } from './logs.ts';
import { missingReferences } from '../../environment.ts';
import { environmentOf } from './secrets.ts';
import { usageOf } from './usage.ts';

const Options = z.strictObject({
  /** unix:///var/run/docker.sock or tcp://host:port. Default: the environment's DOCKER_HOST, else Docker's socket. */
  host: z
    .string()
    .regex(/^(unix:\/\/\/|tcp:\/\/[^/])/, 'must be unix:///path or tcp://host:port')
    .optional(),
  /** For services that do not say. Default: host on Linux; elsewhere bridge, since containers run in a virtual machine there. */
  network: z.enum(NETWORKS).optional(),
  /** For bringing an image. */
  pullTimeout: Duration.default('10m'),
});
type Options = z.infer<typeof Options>;

const DEFAULT_SOCKET = 'unix:///var/run/docker.sock';
const LAST_WORDS = 20;
const KILL_WAIT_MS = 10_000;

interface Agent {
  readonly running: Running;
  readonly container: string;
  readonly memoryLimit: number | undefined;
  reportedMemory: boolean;
  ended: PromiseWithResolvers<undefined>;
  isEnded: boolean;
}

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;

export const dockerRuntime: RuntimeDriver<Options> = {
  name: 'docker',
  options: Options,
  check: checkContainer,
  async create(options, context): Promise<Runtime> {
    const { folder, ports, log } = context;
    const installation = createHash('sha256').update(folder).digest('hex').slice(0, 16);
    const network = options.network ?? (process.platform === 'linux' ? 'host' : 'bridge');
    const agents = new Map<string, Agent>();
    const starting = new Map<string, Promise<Running>>();
    const listeners = new Set<(event: RuntimeEvent) => void>();
    /** Found ended when they were first looked for; told by the next `list`. */
    let unseen: Running[] = [];
    /** Containers whose end was told. */
    const told = new Set<string>();

    function tell(event: RuntimeEvent): void {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          log.warn({ error }, 'a listener of the runtime failed');
        }
      }
    }

    const engine = createEngine({
      address: options.host ?? context.environment['DOCKER_HOST'] ?? DEFAULT_SOCKET,
      label: `${LABELS.installation}=${installation}`,
      lookAtAll,
      onUp: () => {
        tell({ type: 'reachable' });
      },
      onDown: (message) => {
        if (agents.size > 0) log.warn({ message }, 'the container engine can not be reached');
        tell({ type: 'unreachable', message });
      },
      onEvent: (event) => void onEvent(event),
    });
    const nameOf = (instance: string): string => containerName(installation, instance);

    async function inspected(container: string): Promise<ContainerInspectInfo | undefined> {
      try {
        return await engine.docker.getContainer(container).inspect();
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    }

    function adopt(info: ContainerInspectInfo, running: Running): Agent {
      const agent: Agent = {
        running,
        container: info.Id,
        memoryLimit: memoryLimitOf(info),
        reportedMemory: false,
        ended: Promise.withResolvers(),
        isEnded: false,
      };
      agents.set(running.instance, agent);
      ports.keep(running.address.port);
      return agent;
    }

    /** Called once for each run, whoever notices first. */
    function ended(agent: Agent, exit: Exit): void {
      if (agent.isEnded) return;
      agent.isEnded = true;
      told.add(agent.container);
      const { instance, process, address } = agent.running;
      if (agents.get(instance) === agent) agents.delete(instance);
      ports.release(address.port);
      agent.ended.resolve(undefined);
      tell({ type: 'exited', instance, process, ...exit });
    }

    /** Compares what an agent's container does with what is believed of it. */
    async function lookAt(agent: Agent): Promise<void> {
      const info = await inspected(agent.container);
      if (info?.State.Running === true) return;
      if (info !== undefined) ended(agent, exitOf(info, await lastWords(engine.docker, agent.container, LAST_WORDS)));
      else
        ended(agent, {
          code: null,
          signal: null,
          log: [],
          cause: { reason: 'Removed', message: 'its container was removed by somebody else' },
        });
    }

    /** After each connection: events may have been missed, or this control plane is new. */
    async function lookAtAll(): Promise<void> {
      const found = await engine.docker.listContainers({
        all: true,
        filters: { label: [`${LABELS.installation}=${installation}`] },
      });
      for (const { Id } of found) {
        const info = await inspected(Id);
        const running = info === undefined ? undefined : runningOf(info);
        if (info === undefined || running === undefined || starting.has(running.instance)) continue;
        if (agents.get(running.instance)?.container === Id) continue;
        if (info.State.Running) adopt(info, running);
        else if (info.State.Status === 'created' || info.State.Status === 'configured') await removeContainer(Id);
        else if (!told.has(Id)) {
          told.add(Id);
          unseen.push({ ...running, exit: exitOf(info, await lastWords(engine.docker, Id, LAST_WORDS)) });
        }
      }
      for (const agent of [...agents.values()]) await lookAt(agent);
    }

    async function onEvent({ action, container }: EngineEvent): Promise<void> {
      if (!['die', 'destroy', 'remove', 'oom'].includes(action)) return;
      const agent = [...agents.values()].find((one) => one.container === container);
      try {
        if (agent !== undefined) await lookAt(agent);
      } catch (error) {
        log.warn({ error, instance: agent?.running.instance }, 'cannot look at a container; the next look finds it');
      }
    }

    async function removeContainer(container: string): Promise<void> {
      try {
        await engine.docker.getContainer(container).remove({ force: true, v: true });
      } catch (error) {
        // 404: it is gone. 409: somebody else is removing it.
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
      }
    }

    async function launch(request: StartRequest, signal: AbortSignal): Promise<Running> {
      await engine.mustBeUp();
      const name = nameOf(request.instance);
      // Started in the moment before a control plane ended, or left from an earlier run.
      const present = await inspected(name);
      if (present !== undefined) {
        const running = present.State.Running ? runningOf(present) : undefined;
        if (running !== undefined) return adopt(present, running).running;
        await removeContainer(present.Id);
        told.delete(present.Id);
      }
      const wished = LaunchOptions.parse(request.launch.options ?? {});
      const limit = AbortSignal.any([signal, AbortSignal.timeout(durationMs(options.pullTimeout))]);
      await ensureImage(engine.docker, request.launch.image ?? '', wished.pull, limit, (message) => {
        tell({ type: 'progress', instance: request.instance, message });
      });
      const port = await ports.take();
      try {
        signal.throwIfAborted();
        return await createAndStart(request, wished, name, port, signal);
      } catch (error) {
        ports.release(port);
        await removeContainer(name).catch(() => undefined);
        throw error;
      }
    }

    async function createAndStart(
      request: StartRequest,
      wished: LaunchOptions,
      name: string,
      port: number,
      signal: AbortSignal,
    ): Promise<Running> {
      const own = join(folder, request.instance);
      const workdir = join(own, 'workdir');
      // The container's user may be any; others of this machine are kept out by the folder above.
      mkdirSync(own, { recursive: true, mode: 0o700 });
      mkdirSync(workdir, { recursive: true, mode: 0o777 });
      const secrets = join(own, 'secrets');
      const place: Placement = {
        installation,
        network: wished.network ?? network,
        host: context.host,
        port,
        workdir,
        secrets: wished.secrets === 'files' ? secrets : undefined,
        logs: context.logs,
      };
      const values = templateValues(request, wished, place);
      const env = environmentOf(request, values, context.environment, place.secrets);
      try {
        const container = await engine.docker.createContainer(creation(request, wished, place, env));
        signal.throwIfAborted();
        await container.start();
        const info = await container.inspect();
        const running = runningOf(info);
        if (running === undefined) throw new Error(`the engine lost the labels of ${name}`);
        const agent = adopt(info, running);
        if (!info.State.Running) void lookAt(agent);
        return running;
      } catch (error) {
        throw startError(error);
      }
    }

    /** The engine's own words on what can't be started; whether the field or the moment is wrong shows in the status. */
    function startError(error: unknown): unknown {
      const status = statusOf(error);
      if (status === undefined || error instanceof SwitchboardError) return error;
      const text = messageOf(error).replace(/^\(HTTP code \d+\) /, '');
      const path = status === 404 ? 'spec.launch.image' : 'spec.launch';
      if (/executable file|no such file or directory/i.test(text)) {
        const message = `command not found: ${text}`;
        return new SwitchboardError('invalid', `spec.launch.command.0: ${message}`, {
          issues: [{ path: 'spec.launch.command.0', message }],
        });
      }
      return new SwitchboardError('invalid', `${path}: ${text}`, { issues: [{ path, message: text }] });
    }

    async function signalled(agent: Agent, signal: 'SIGTERM' | 'SIGKILL', waitMs: number): Promise<void> {
      try {
        await engine.docker.getContainer(agent.container).kill({ signal });
      } catch (error) {
        // 404 and 409: it does not run any more.
        if (statusOf(error) !== 404 && statusOf(error) !== 409 && statusOf(error) !== 500) throw error;
      }
      const limit = Date.now() + waitMs;
      // The end comes as an event; looking by ourselves makes up for one that is late.
      for (let pause = 25; !agent.isEnded && Date.now() < limit; pause = Math.min(pause * 2, 500)) {
        const timer = Promise.withResolvers<undefined>();
        const timeout = setTimeout(timer.resolve, Math.min(pause, Math.max(1, limit - Date.now())), undefined);
        await Promise.race([agent.ended.promise, timer.promise]);
        clearTimeout(timeout);
        await lookAt(agent);
      }
    }

    return {
      missing: ({ env }) => missingReferences(env, context.environment),
      async start(request, signal) {
        const running = agents.get(request.instance);
        if (running !== undefined) return running.running;
        let promise = starting.get(request.instance);
        if (promise === undefined) {
          promise = launch(request, signal).finally(() => starting.delete(request.instance));
          starting.set(request.instance, promise);
        }
        return promise;
      },
      async stop(instance, { graceMs }) {
        await starting.get(instance)?.catch(() => undefined);
        await engine.mustBeUp();
        const agent = agents.get(instance);
        if (agent === undefined) return { killed: false };
        await signalled(agent, 'SIGTERM', graceMs);
        const killed = !agent.isEnded;
        if (killed) await signalled(agent, 'SIGKILL', KILL_WAIT_MS);
        if (!agent.isEnded)
          throw new SwitchboardError(
            'unavailable',
            `container ${agent.container.slice(0, 12)} of ${instance} does not end`,
          );
        return { killed };
      },
      async list() {
        await engine.mustBeUp();
        const endings = unseen;
        unseen = [];
        return [...[...agents.values()].map((agent) => agent.running), ...endings];
      },
      watch(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      async usage() {
        if (agents.size === 0 || !engine.isUp()) return new Map();
        const held = await usageOf(
          engine.docker,
          new Map([...agents].map(([instance, { container }]) => [instance, container])),
        );
        for (const [instance, { memoryBytes }] of held) {
          const agent = agents.get(instance);
          if (agent?.memoryLimit === undefined || agent.reportedMemory || memoryBytes <= agent.memoryLimit) continue;
          agent.reportedMemory = true;
          tell({ type: 'over-memory', instance, bytes: memoryBytes, limit: agent.memoryLimit });
        }
        return held;
      },
      logs: (instance, read) => readLogs(engine.docker, nameOf(instance), read),
      async remove(instance) {
        if (agents.has(instance)) throw new SwitchboardError('conflict', `instance ${instance} is running`);
        await engine.mustBeUp();
        const left = await inspected(nameOf(instance));
        if (left !== undefined) {
          await removeContainer(left.Id);
          told.delete(left.Id);
        }
        rmSync(join(folder, instance), { recursive: true, force: true });
      },
      async close() {
        engine.close();
        listeners.clear();
      },
    };
  },
};
