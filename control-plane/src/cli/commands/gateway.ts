/** What the gateways run, and the wire between them and the control plane. */
import type { CertificateStatus } from '../../model/gateway.ts';
import type { Cli } from '../command.ts';
import { format, note, parseFormat, print, type Column } from '../output.ts';

const CERTIFICATE: readonly Column<CertificateStatus>[] = [
  { title: 'name', cell: (one) => one.name },
  { title: 'valid until', cell: (one) => one.notAfter },
  { title: 'renewed at', cell: (one) => one.renewAt },
  { title: 'serial', cell: (one) => one.serial },
];

export function gatewayCommands(cli: Cli): void {
  const gateway = cli.program.command('gateway').summary('what the gateways run, and how they reach the control plane');

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

  for (const command of gateway.commands) command.exitOverride();
}
