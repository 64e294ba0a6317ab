/** Where clients, Envoy and callers of the API find it. */
import type { Config } from '../config.ts';
import { expectFree } from '../home/free-port.ts';
import { createPortKeeper, type PortName } from '../home/ports.ts';

/** Error: `unavailable` when the API's is taken: it is the last that is listened on, when Envoy and agents would run already. */
export async function choosePorts(config: Config): Promise<Record<PortName, number>> {
  const keeper = createPortKeeper(config.dataFolder);
  const ports = {
    gateway: await keeper.choose('gateway', config.gateway.host, config.gateway.port),
    xds: await keeper.choose('xds', config.xds.host, config.xds.port),
    api: await keeper.choose('api', config.api.host, config.api.port),
  };
  await expectFree(config.api.host, ports.api, 'the API', 'SWITCHBOARD_API_PORT');
  return ports;
}
