/** Certificates of gateways elsewhere: what one of them needs, as files, and the end of it. The key is made here, and never leaves this machine. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { splitAddress } from '../../model/address.ts';
import { SwitchboardError } from '../../model/errors.ts';
import { identitySecret } from '../../model/gateway-files.ts';
import { writeWhole } from '../bundle/archive.ts';
import type { Cli } from '../command.ts';
import { note } from '../output.ts';

function xdsAddress(text: string): { host: string; port: number } {
  const { host, port } = splitAddress(text);
  if (host === '' || !/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw new SwitchboardError('invalid', `--xds must be host:port, not ${text}`, {
      issues: [{ path: 'xds', message: 'must be host:port' }],
    });
  return { host, port: Number(port) };
}

export function gatewayCertificateCommands(gateway: Command, cli: Cli): void {
  gateway
    .command('certificate <name>')
    .summary('what an Envoy elsewhere needs to be a gateway: key and certificate, whom it trusts, its bootstrap')
    .option('--out <folder>', 'where to write them, for their owner alone (default: a folder of that name)')
    .option('--folder <path>', 'where Envoy will find them, absolute (default: where they are written)')
    .option('--xds <host:port>', 'where Envoy finds the control plane (default: where it listens)')
    .addHelpText(
      'after',
      '\nExample:\n  switchboard gateway certificate edge-2 --xds 10.0.0.5:8802 --folder /etc/gateway\nAgain before it is over: Envoy takes the new files without losing a session.',
    )
    .action(async (name: string, options: { out?: string; folder?: string; xds?: string }) => {
      const out = resolve(options.out ?? name);
      const folder = options.folder ?? out;
      const { privateKey, publicKey } = generateKeyPairSync('ec', {
        namedCurve: 'prime256v1',
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      });
      const client = cli.client();
      const made = await client.certifyGateway({
        gateway: name,
        publicKey,
        folder,
        ...(options.xds === undefined ? {} : { xds: xdsAddress(options.xds) }),
      });
      mkdirSync(out, { recursive: true, mode: 0o700 });
      const files = {
        'authority.json': made.authority,
        'identity.json': identitySecret({ key: privateKey, certificate: made.pem }),
        'bootstrap.json': made.bootstrap,
      };
      for (const [file, text] of Object.entries(files)) writeWhole(join(out, file), Buffer.from(text), true);
      note(`${out}: valid until ${made.status.notAfter}, to be asked for anew from ${made.status.renewAt} on`);
      // By default Envoy ends what is open on a listener that has changed after ten minutes.
      note(
        `Start it with: envoy -c ${join(folder, 'bootstrap.json')} --drain-time-s 31536000 --drain-strategy immediate`,
      );
      if (options.xds === undefined)
        note(
          'It goes where the control plane listens for Envoy: for one on another machine set SWITCHBOARD_XDS_HOST, and give --xds.',
        );
    });

  gateway
    .command('revoke <name>')
    .summary("refuse a gateway's certificates from now on: its streams end, sessions at its Envoy go on")
    .action(async (name: string) => {
      await cli.client().revokeCertificate(name);
      note(
        `what was issued to ${name} up to now is refused; \`switchboard gateway certificate ${name}\` lets it in again`,
      );
    });
}
