/** What the gateways run, and the wire between them and the control plane. */
import { stringify } from 'yaml';
import type { ApiClient } from '../../api/client.ts';
import type { GatewayView } from '../../api/types.ts';
import { SwitchboardError } from '../../model/errors.ts';
import type { CertificateStatus, GatewayConfig } from '../../model/gateway.ts';
import type { Cli } from '../command.ts';
import { EXIT, Exit } from '../exit.ts';
import { gatewayCertificateCommands } from './gateway-certificate.ts';
import { confirm } from '../confirm.ts';
import { age, format, note, parseFormat, print, tint, type Column } from '../output.ts';

const TYPES = ['cds', 'eds', 'lds', 'rds', 'ecds', 'sds'] as const;

const CERTIFICATE: readonly Column<CertificateStatus>[] = [
  { title: 'name', cell: (one) => one.name },
  { title: 'valid until', cell: (one) => one.notAfter },
  { title: 'renewed at', cell: (one) => one.renewAt },
  { title: 'revoked', cell: (one) => one.revokedAt ?? '-' },
  { title: 'serial', cell: (one) => one.serial },
];

const STATUS: readonly Column<GatewayView>[] = [
  { title: 'node', cell: (one) => one.node },
  { title: 'envoy', cell: (one) => one.envoyVersion },
  { title: 'revision', cell: (one) => String(one.ackedRevision) },
  ...TYPES.slice(0, 5).map((type): Column<GatewayView> => ({
    title: type,
    cell: (one) => tint(one.types[type]?.state ?? 'NOT_SENT'),
  })),
  {
    title: 'drift',
    cell: (one) => (one.drift === null ? '-' : one.drift.drift.length === 0 ? tint('ok') : tint('FAIL')),
  },
  { title: 'connected', cell: (one) => age(one.connectedAt, Date.now()) },
  { title: 'variant', cell: (one) => one.variant, wide: true },
  { title: 'zone', cell: (one) => (one.zone === '' ? '-' : one.zone), wide: true },
  { title: 'certificate until', cell: (one) => one.certificate?.notAfter ?? '-', wide: true },
];

async function nodesOf(client: ApiClient, node: string | undefined): Promise<readonly GatewayView[]> {
  const { items } = await client.gateways();
  const found = node === undefined ? items : items.filter((one) => one.node === node);
  if (node !== undefined && found.length === 0)
    throw new SwitchboardError('not_found', `no gateway ${node} is connected`, {
      ...(items.length === 0 ? {} : { remedy: `There is ${items.map((one) => one.node).join(', ')}.` }),
    });
  return found;
}

async function onlyNode(client: ApiClient): Promise<string> {
  const [first, ...others] = await nodesOf(client, undefined);
  if (first === undefined) throw new SwitchboardError('not_found', 'no gateway is connected');
  if (others.length === 0) return first.node;
  throw new SwitchboardError('invalid', `name the gateway: ${[first, ...others].map(({ node }) => node).join(', ')}`);
}

function isWell({ types, conditions }: GatewayView): boolean {
  return conditions.length === 0 && Object.values(types).every(({ state }) => state === 'SYNCED');
}

async function status(
  cli: Cli,
  node: string | undefined,
  options: { output: string; compare?: boolean },
): Promise<void> {
  const as = parseFormat(options.output);
  const client = cli.client();
  if (options.compare === true) for (const one of await nodesOf(client, node)) await client.compareGateway(one.node);
  const items = await nodesOf(client, node);
  print(
    items.length === 0 && (as === 'table' || as === 'wide')
      ? 'no gateway is connected\n'
      : format(items, STATUS, (one) => one.node, as),
  );
  for (const one of items) {
    for (const { type, name, message, owner, since } of one.refusals)
      note(
        `${one.node} refuses ${type} ${name}${owner === null ? '' : ` (${owner.kind} ${owner.name})`} since ${since}: ${message}`,
      );
    for (const { type, reason, message } of one.conditions)
      if (reason !== 'Refused') note(`${one.node} ${type} ${reason}: ${message}`);
  }
  if (items.length === 0 || !items.every(isWell)) throw new Exit(EXIT.unhealthy);
}

function checkedTypes(type: string | undefined): readonly string[] {
  if (type === undefined) return TYPES;
  if (!TYPES.some((one) => one === type))
    throw new SwitchboardError('invalid', `the type must be one of ${TYPES.join(', ')}, not ${type}`);
  return [type];
}

function tellDifference({ node, type, difference, envoy }: GatewayConfig): number {
  if (difference === null) {
    note(`${node} ${type}: Envoy's own view is not known${envoy.reachable ? '' : `: ${envoy.reason}`}`);
    return 1;
  }
  for (const name of difference.onlySent) print(`${type} ${name}: was sent, and Envoy does not have it\n`);
  for (const name of difference.onlyEnvoy) print(`${type} ${name}: Envoy has it, and it was not sent\n`);
  for (const { name, patch } of difference.differ) print(`${type} ${name}:\n${patch}\n`);
  return difference.onlySent.length + difference.onlyEnvoy.length + difference.differ.length;
}

export function gatewayCommands(cli: Cli): void {
  const gateway = cli.program.command('gateway').summary('what the gateways run, and how they reach the control plane');

  gateway
    .command('status [node]')
    .summary('whether each gateway runs what it was told (exit code 7: one does not)')
    .option('-o, --output <format>', 'table, wide, json, yaml or name', 'table')
    .option('--compare', "compare with Envoy's own view now")
    .action(async (node: string | undefined, options: { output: string; compare?: boolean }) => {
      await status(cli, node, options);
    });

  gateway
    .command('config [node] [type]')
    .summary(`resources of a gateway as sent and as Envoy has them: ${TYPES.join(', ')}; default: all`)
    .option('-o, --output <format>', 'json or yaml', 'yaml')
    .option('--name <resource>', 'this resource alone')
    .addHelpText('after', '\nExample:\n  switchboard gateway config gateway-1 cds --name weather')
    .action(async (named: string | undefined, type: string | undefined, options: { output: string; name?: string }) => {
      const as = parseFormat(options.output);
      const types = checkedTypes(type);
      const client = cli.client();
      const node = named ?? (await onlyNode(client));
      const all: GatewayConfig[] = [];
      for (const one of types) all.push(await client.gatewayConfig(node, one, options.name));
      const shown = type === undefined ? all : all[0];
      print(as === 'json' ? `${JSON.stringify(shown, undefined, 2)}\n` : stringify(shown));
    });

  gateway
    .command('diff [node] [type]')
    .summary('what Envoy has in another form than it was sent (exit code 7: something)')
    .action(async (node: string | undefined, type: string | undefined) => {
      const types = checkedTypes(type);
      const client = cli.client();
      let found = 0;
      for (const { node: one } of await nodesOf(client, node))
        for (const each of types) found += tellDifference(await client.gatewayConfig(one, each));
      if (found > 0) throw new Exit(EXIT.unhealthy);
      note('Envoy has what it was sent');
    });

  gateway
    .command('certificates')
    .summary('certificates between the gateways and the control plane')
    .option('-o, --output <format>', 'table, json, yaml or name', 'table')
    .action(async ({ output }: { output: string }) => {
      const as = parseFormat(output);
      print(format((await cli.client().certificates()).items, CERTIFICATE, (one) => one.name, as));
    });

  gateway
    .command('rotate [node]')
    .summary('new certificates, for all or for one gateway; no session ends')
    .action(async (node: string | undefined) => {
      const { items } = await cli.client().rotateCertificates(node);
      print(format(items, CERTIFICATE, (one) => one.name, 'table'));
      note('Open streams and sessions go on; new connections use the new certificates.');
    });

  gateway
    .command('restart [node]')
    .summary(
      'replace Envoy by a new one: for another version of it, or other settings; no session ends, no connect fails',
    )
    .option('--deadline <time>', 'such as 1h: sessions that the old one still has then are ended (default: never)')
    .option('--dry-run', 'tell what would happen')
    .option('-y, --yes', 'do not ask before open sessions get an end')
    .addHelpText('after', '\nExample:\n  switchboard gateway restart --deadline 8h')
    .action(async (node: string | undefined, options: { deadline?: string; dryRun?: boolean; yes?: boolean }) => {
      const client = cli.client();
      const name = node ?? (await onlyNode(client));
      if (options.deadline !== undefined && options.dryRun !== true && options.yes !== true) {
        const { sessions, until } = await client.restartGateway(name, options.deadline, { dryRun: true });
        if (sessions > 0) await confirm(`${sessions} open sessions may go on until ${until ?? 'they end'}`);
      }
      const flags = { dryRun: options.dryRun === true };
      const { from, to, sessions, until, dryRun } = await client.restartGateway(name, options.deadline, flags);
      const ends = until === null ? 'until they end' : `until ${until}`;
      print(
        dryRun
          ? `${name}: a new Envoy would take new connections; process ${from ?? '-'} would serve its ${sessions} open sessions on, ${ends}\n`
          : `${name}: process ${to ?? '-'} takes new connections; process ${from ?? '-'} serves its ${sessions} open sessions on, ${ends}\n`,
      );
    });

  gatewayCertificateCommands(gateway, cli);
  for (const command of gateway.commands) command.exitOverride();
}
