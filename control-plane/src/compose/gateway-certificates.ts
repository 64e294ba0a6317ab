/** What an Envoy elsewhere needs to come to this control plane, but for its key: its certificate, whom to trust, what it is started with. */
import { posix } from 'node:path';
import { bootstrap } from '@switchboard/envoy';
import type { Keeper } from '../certificates/keeper.ts';
import { CONTROL_PLANE_URI } from '../certificates/peer.ts';
import type { Config } from '../config.ts';
import { reachableHost } from '../model/listen-host.ts';
import { AUTHORITY_SECRET, IDENTITY_SECRET, authoritySecret } from '../model/gateway-files.ts';
import type { GatewayCertificate, GatewayCertificateRequest } from '../model/gateway.ts';

export async function certifyGateway(
  keeper: Keeper,
  config: Config,
  xdsPort: number,
  { gateway, publicKey, folder, xds }: GatewayCertificateRequest,
): Promise<GatewayCertificate> {
  const { pem, status } = await keeper.certify(gateway, publicKey);
  const started = bootstrap({
    nodeId: gateway,
    cluster: 'switchboard',
    zone: '',
    xds: xds ?? { host: reachableHost(config.xds.host), port: xdsPort },
    tls: {
      folder,
      identity: { path: posix.join(folder, 'identity.json'), name: IDENTITY_SECRET },
      authority: { path: posix.join(folder, 'authority.json'), name: AUTHORITY_SECRET },
      controlPlane: CONTROL_PLANE_URI,
    },
    variant: config.envoy.xds,
    adminPath: posix.join(folder, 'admin.sock'),
    maxConnections: config.envoy.maxConnections,
  });
  return {
    status,
    pem,
    authority: authoritySecret(keeper.authority()),
    bootstrap: JSON.stringify(started, undefined, 2),
  };
}
