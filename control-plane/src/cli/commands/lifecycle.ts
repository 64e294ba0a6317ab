import { SwitchboardError } from '../../model/errors.ts';
import type { WriteAnswer } from '../../api/types.ts';
import type { WriteFlags } from '../../api/queries.ts';
import { unknownKind, type Cli } from '../command.ts';
import { confirmedEnds, tellWrite } from '../impact.ts';
import { kindOf } from '../kinds.ts';
import { tellAndWait, waitOptions, writeFlags, type WaitFlags } from '../waiting.ts';

interface Flags extends WaitFlags {
  now?: boolean;
  dryRun?: boolean;
  yes?: boolean;
}

export function lifecycleCommands(cli: Cli): void {
  const { program } = cli;
  waitOptions(program.command('start <service>').summary('start a service, or try again what has failed'))
    .option('--dry-run', 'tell what would happen')
    .action(async (service: string, flags: Flags) => {
      await tellAndWait(cli, await cli.client().start(service, writeFlags(flags)), flags, {
        abortFails: false,
        named: service,
      });
    });
  for (const verb of ['stop', 'restart'] as const) {
    const command = program
      .command(`${verb} <service>`)
      .summary(
        verb === 'stop' ? 'stop a service after its sessions have ended' : 'replace every instance, new ones first',
      )
      .description(
        `${verb === 'stop' ? 'No new sessions; instances end when theirs have ended' : 'New instances start first; old ones end when their sessions have ended'}, at the latest after the service's drain deadline.`,
      )
      .option('--now', 'end open sessions at once');
    waitOptions(command, { ready: verb === 'restart' })
      .option('--dry-run', 'tell what would happen')
      .option('-y, --yes', 'do not ask before open sessions end at once')
      .addHelpText('after', `\nExamples:\n  switchboard ${verb} weather --dry-run\n  switchboard ${verb} weather --now`)
      .action(async (service: string, flags: Flags) => {
        const client = cli.client();
        const now = flags.now === true;
        const write = { ...writeFlags(flags), now };
        const told = await confirmedEnds(flags, async () => client[verb](service, { dryRun: true, now }));
        await tellAndWait(cli, await client[verb](service, write), flags, { abortFails: false, named: service, told });
      });
  }
  waitOptions(program.command('scale <service> <replicas>').summary('set how many instances are wanted'))
    .option('--dry-run', 'tell what would happen')
    .addHelpText('after', '\nExamples:\n  switchboard scale weather 5\n  switchboard scale weather 5 --ready')
    .action(async (service: string, replicas: string, flags: Flags) => {
      if (!/^\d+$/.test(replicas))
        throw new SwitchboardError('invalid', `replicas must be a whole number, not ${replicas}`);
      const answer = await cli.client().scale(service, Number(replicas), writeFlags(flags));
      await tellAndWait(cli, answer, flags, { abortFails: false, named: service });
    });
  program
    .command('delete <kind> <name>')
    .summary('delete a service, a route or an instance')
    .description('Instances are drained first: open sessions may go on until the deadline.')
    .option('--now', 'end open sessions at once')
    .option('--dry-run', 'tell what would happen')
    .option('-y, --yes', 'do not ask before open sessions end at once')
    .addHelpText('after', '\nExample:\n  switchboard delete service weather')
    .action(async (kind: string, name: string, flags: Flags) => {
      const client = cli.client();
      const now = flags.now === true;
      const is = kindOf(kind);
      const run = async (write: WriteFlags): Promise<WriteAnswer> => {
        if (is === 'service') return client.deleteService(name, { ...write, now });
        if (is === 'route') return client.deleteRoute(name, write);
        if (is === 'instance') return client.stopInstance(name, { ...write, now });
        throw unknownKind(kind, ['service', 'route', 'instance']);
      };
      const told = await confirmedEnds(flags, async () => run({ dryRun: true }));
      tellWrite(await run(writeFlags(flags)), told);
    });
}
