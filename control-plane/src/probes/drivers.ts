/** Every probe that a service can name. To add one: its file in drivers/, its test, a line here. */
import { httpProbe } from './drivers/http.ts';
import { myagentProbe } from './drivers/myagent.ts';
import { processProbe } from './drivers/process.ts';
import { tcpProbe } from './drivers/tcp.ts';
import { websocketProbe } from './drivers/websocket.ts';
import type { ProbeDriver } from './probe.ts';

export const probeDrivers: readonly ProbeDriver<never>[] = [
  websocketProbe,
  myagentProbe,
  httpProbe,
  tcpProbe,
  processProbe,
] as unknown as readonly ProbeDriver<never>[];
