/** `switchboard explain URL -H 'name: value'`: where a request would go now, and why. */
import { SwitchboardError } from '../../model/errors.ts';
import type { Explanation } from '../../api/types.ts';
import { repeated, type Cli } from '../command.ts';
import { parseFormat, print, table } from '../output.ts';

function text(found: Explanation): string {
  const lines = [found.outcome, ''];
  const { route } = found;
  lines.push(`route      ${route.name}${found.target === null ? '' : ` -> ${found.target}`}`);
  for (const { condition } of route.conditions) lines.push(`           ${condition}`);
  for (const { route: name, because } of route.passedOver.slice(0, 10)) lines.push(`not        ${name}: ${because}`);
  for (const { service, share, policy, affinity, candidates } of found.destinations) {
    const part = found.destinations.length === 1 ? '' : ` (${Math.round(100 * share)} %)`;
    lines.push('', `service    ${service}${part}`, `policy     ${policy.type}: ${policy.about}`);
    if (policy.problem !== null) lines.push(`           ${policy.problem}`);
    if (affinity !== null) lines.push(`affinity   ${affinity.reason}`);
    lines.push(
      '',
      table(candidates, [
        { title: 'instance', cell: (one) => one.instance },
        { title: 'can', cell: (one) => (one.eligible ? 'yes' : 'no') },
        { title: 'share', cell: (one) => `${Math.round(1000 * one.share) / 10} %` },
        { title: 'sessions', cell: (one) => (one.sessions === null ? '-' : String(one.sessions)) },
        { title: 'reason', cell: (one) => one.reason },
      ]).trimEnd(),
    );
  }
  return `${lines.join('\n')}\n`;
}

export function explainCommand(cli: Cli): void {
  cli.program
    .command('explain')
    .argument('<url>', 'ws://host:port/path?query, or the path alone')
    .summary('where a request would go now, and why')
    .description('Replays the decision with what is known now: the route, the policy, the instances and their shares.')
    .option('-H, --header <line>', 'a header, as "Name: value"; may be repeated', repeated)
    .option('--client-ip <address>', 'where the client connects from')
    .option('-o, --output <format>', 'table or json', 'table')
    .action(async (address: string, options: { header?: string[]; clientIp?: string; output: string }) => {
      let url: URL;
      try {
        url = new URL(address.startsWith('/') ? `ws://localhost${address}` : address);
      } catch {
        throw new SwitchboardError('invalid', `${address} is neither a URL nor a path that starts with /`);
      }
      const found = await cli.client().explain({
        path: `${url.pathname}${url.search}`,
        header: options.header ?? [],
        ...(address.startsWith('/') ? {} : { host: url.host }),
        ...(options.clientIp === undefined ? {} : { clientIp: options.clientIp }),
      });
      const format = parseFormat(options.output);
      print(format === 'table' || format === 'wide' ? text(found) : `${JSON.stringify(found, undefined, 2)}\n`);
    });
}
