import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../home/free-port.ts';
import { hostPort } from '../../model/address.ts';
import { SwitchboardError, isError, messageOf } from '../../model/errors.ts';
import { startAgent, untilListening } from '../agent-process.ts';
import { durationFlag, repeated, untilInterrupted, wholeNumber, type Cli } from '../command.ts';
import { Exit } from '../exit.ts';
import { note } from '../output.ts';
import { agentHost } from '../own-address.ts';

interface Options {
  service: string;
  id?: string;
  host?: string;
  port?: number;
  tag?: string[];
  ttl: number;
  drain: string;
  grace: string;
  create?: boolean;
}

/** A first registration that is refused so will be refused again. */
const FINAL = new Set<string>(['invalid', 'conflict', 'not_found', 'unauthenticated', 'forbidden']);

/** An agent that listens later than this, or elsewhere, is waited for not without a word. */
const SLOW_MS = 3_000;

/** `code`: 128 and more for a signal. */
const howItEnded = (code: number): string =>
  `the agent ended ${code > 128 ? `by signal ${code - 128}` : `with exit code ${code}`}`;

function tagsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((tag) => {
      const at = tag.indexOf('=');
      if (at < 1) throw new SwitchboardError('invalid', `--tag must be key=value, not ${tag}`);
      return [tag.slice(0, at), tag.slice(at + 1)];
    }),
  );
}

export function runCommand(cli: Cli): void {
  cli.program
    .command('run')
    .summary('run an agent here and register it with the gateway')
    .description(
      'Starts an unmodified agent, registers it with an external service, and keeps it registered. When this ends, the agent is drained first; when this is killed, the agent ends too.',
    )
    .requiredOption('--service <name>', 'the external service that it belongs to')
    .option('--id <id>', 'its instance id (default: chosen by the gateway)')
    .option(
      '--host <address>',
      'where the agent listens, as the gateway reaches it (default: the address of this machine that reaches the control plane)',
    )
    .option('--port <port>', 'its port (default: a free one)', wholeNumber(1, 65_535))
    .option('--tag <key=value>', 'a tag; may stand several times', repeated)
    .option('--ttl <seconds>', 'how long the gateway waits for a heartbeat', wholeNumber(1), 15)
    .option('--drain <duration>', 'at the end, how long open sessions may go on', '30s')
    .option('--grace <duration>', 'from SIGTERM to SIGKILL', '10s')
    .option('--create', 'create the service if it does not exist')
    .argument('<command...>', 'the command, after --; {port} and {host} are replaced')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard run --service remote --create -- python server.py --host {host} --port {port}\n  switchboard --url https://switchboard.example.org --token "$TOKEN" run --service remote -- python server.py --host {host} --port {port}',
    )
    .action(async (command: string[], options: Options) => {
      const client = cli.client();
      const { service } = options;
      const drainMs = durationFlag('--drain', options.drain);
      const graceMs = durationFlag('--grace', options.grace);
      if (options.create === true) {
        await client
          .putService(service, { spec: { runtime: 'external' } }, { expectRevision: 0 })
          .catch((error: unknown) => {
            if (!isError(error, 'precondition_failed')) throw error;
          });
      }
      const { spec } = await client.service(service);
      // Its registration would be refused, but only once the agent is up.
      if (spec.runtime !== 'external')
        throw new SwitchboardError(
          'invalid',
          `service ${service} does not take registrations: its runtime is ${spec.runtime}`,
          { remedy: 'Name another service; --create makes one.' },
        );
      if (options.port === undefined && !command.some((part) => part.includes('{port}'))) {
        throw new SwitchboardError(
          'invalid',
          "the command does not say {port}: say where the port goes, or name the agent's own with --port",
        );
      }
      const tags = tagsOf(options.tag ?? []);
      const { host, warning } = await agentHost(cli.target().url, options.host);
      if (warning !== undefined) note(`warning: ${warning}`);
      const port = options.port ?? (await freePort(host));
      const interrupted = untilInterrupted();
      const agent = await startAgent(
        command,
        { port: String(port), host, service, instance: options.id ?? '' },
        graceMs,
      );
      const gone = new AbortController();
      void agent.ended.then(() => {
        gone.abort();
      });
      void agent.ended.then((code) => {
        if (!interrupted.aborted) note(howItEnded(code));
      });
      const over = AbortSignal.any([interrupted, gone.signal]);
      let lease: { id: string; token: number } | undefined;

      const register = async (): Promise<void> => {
        const registered = await client.register({
          service,
          address: { host, port },
          tags,
          ttlSeconds: options.ttl,
          ...(lease === undefined ? (options.id === undefined ? {} : { id: options.id }) : { id: lease.id }),
        });
        lease = { id: registered.instance.id, token: registered.token };
        note(`registered as ${lease.id} at ${hostPort(host, port)}`);
      };

      /**
       * Until `stop`: a heartbeat every third of the time; a lost registration is made anew. Nothing that the control plane answers, or that
       * it does not answer, ends a healthy agent with sessions open: it is told, and tried again.
       */
      async function keepRegistered(stop: AbortSignal): Promise<void> {
        while (!stop.aborted) {
          try {
            if (lease === undefined) await register();
            else await client.heartbeat(lease.id, lease.token);
          } catch (error) {
            if (isError(error, 'not_found') && lease !== undefined) {
              await register().catch((again: unknown) => {
                note(`cannot register again: ${messageOf(again)}; trying again`);
              });
            } else if (lease === undefined && isError(error) && FINAL.has(error.code)) throw error;
            else note(`${messageOf(error)}; trying again`);
          }
          await sleep((options.ttl * 1000) / 3, undefined, { signal: stop }).catch(() => undefined);
        }
      }

      try {
        const slow = setTimeout(() => {
          note(`waiting for the agent to listen at ${hostPort(host, port)}; it is registered when it does`);
        }, SLOW_MS);
        const listens = await untilListening(host, port, over);
        clearTimeout(slow);
        if (listens) await keepRegistered(over);
        if (interrupted.aborted && lease !== undefined && !gone.signal.aborted) await drain(lease, drainMs);
        else if (lease !== undefined) {
          // Whoever looks at the events learns why it is gone.
          const why = gone.signal.aborted ? { note: howItEnded(await agent.ended) } : {};
          await client.deregister(lease.id, lease.token, { now: true, ...why }).catch(() => undefined);
        }
      } finally {
        await agent.stop();
      }
      throw new Exit(interrupted.aborted ? 0 : await agent.ended);

      async function drain(held: { id: string; token: number }, limitMs: number): Promise<void> {
        note('no new sessions; waiting for the open ones');
        try {
          await client.deregister(held.id, held.token);
        } catch (error) {
          // New sessions may still come: waiting would help nobody.
          note(`cannot deregister: ${messageOf(error)}`);
          return;
        }
        const limit = Date.now() + limitMs;
        while (Date.now() < limit && !gone.signal.aborted) {
          const there = await client.instance(held.id).catch(() => undefined);
          if (there === undefined) return;
          await sleep(300);
        }
      }
    });
}
