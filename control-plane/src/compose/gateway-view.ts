/** Asks the gateway now and then what it thinks of the instances; a list that takes long is asked for more seldom. */
import type { EnvoySupervisor } from '@switchboard/envoy';
import { addressText } from '../model/address.ts';
import type { Instance } from '../model/instance.ts';
import type { GatewayOpinion } from '../reconcile/verdict.ts';
import { opinionsIn } from '../telemetry/gateway-view.ts';

const EVERY_MS = 5_000;
const SELDOM_MS = 30_000;
/** The list of a large fleet costs Envoy and us some ten milliseconds: about half a percent of the time. */
const REST_FACTOR = 200;

export interface GatewayView {
  of(instance: Instance): GatewayOpinion | undefined;
  /** Begins to ask, and asks at once. */
  start(gateway: EnvoySupervisor): void;
  refresh(): Promise<void>;
  close(): void;
}

export function createGatewayView(now: () => number, onChange: (upstreams: ReadonlySet<string>) => void): GatewayView {
  let opinions: ReadonlyMap<string, string> = new Map();
  let at = '';
  let gateway: EnvoySupervisor | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function refresh(): Promise<void> {
    if (gateway === undefined) return;
    try {
      const next = opinionsIn(await gateway.admin('/clusters'));
      const changed = [...next].filter(([upstream, ill]) => (opinions.get(upstream) ?? '') !== ill);
      opinions = next;
      at = new Date(now()).toISOString();
      if (changed.length > 0) onChange(new Set(changed.map(([upstream]) => upstream)));
    } catch {
      // It is starting, or it has ended: it thinks nothing of anybody.
      opinions = new Map();
    }
  }

  function plan(ms: number): void {
    if (closed) return;
    timer = setTimeout(() => {
      const start = performance.now();
      void refresh().finally(() => {
        plan(Math.min(SELDOM_MS, Math.max(EVERY_MS, REST_FACTOR * (performance.now() - start))));
      });
    }, ms);
    timer.unref();
  }

  return {
    of({ address }) {
      if (address === undefined) return undefined;
      const ill = opinions.get(addressText(address));
      if (ill === undefined) return undefined;
      return ill === '' ? { state: 'ok', reason: 'sends it new sessions', at } : { state: 'failed', reason: ill, at };
    },
    start(envoy) {
      gateway = envoy;
      plan(0);
    },
    refresh,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
