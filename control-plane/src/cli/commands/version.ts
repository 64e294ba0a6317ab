import { stringify } from 'yaml';
import { isError, messageOf } from '../../model/errors.ts';
import { VERSION } from '../../model/release.ts';
import type { Cli } from '../command.ts';
import { note, parseFormat, print } from '../output.ts';

export function versionCommand(cli: Cli): void {
  cli.program
    .command('version')
    .summary('of this command line, of the control plane and of its Envoy')
    .option('--client', 'of this command line alone: asks nobody')
    .option('-o, --output <format>', 'table, json or yaml', 'table')
    .action(async (options: { client?: boolean; output: string }) => {
      const as = parseFormat(options.output);
      const server = options.client === true ? undefined : await serverOf(cli);
      const all = { client: VERSION, ...server };
      if (as === 'json') print(`${JSON.stringify(all, undefined, 2)}\n`);
      else if (as === 'yaml') print(stringify(all));
      else for (const [what, version] of Object.entries(all)) print(`${what} ${version}\n`);
    });
}

/** Who asks for a version may have nothing that runs: no error then, but it is said. */
async function serverOf(cli: Cli): Promise<{ server: string; envoy: string } | undefined> {
  try {
    const { version, envoy } = await cli.client().status();
    return { server: version, envoy: envoy.version };
  } catch (error) {
    if (!isError(error, 'unavailable')) throw error;
    note(`the control plane's version is not known: ${messageOf(error)}`);
    return undefined;
  }
}
