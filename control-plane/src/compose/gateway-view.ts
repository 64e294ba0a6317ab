/** Asks the gateway now and then what it thinks of the instances; a list that takes long is asked for more seldom. */
import type { EnvoySupervisor } from '@switchboard/envoy';
import { addressText } from '../model/address.ts';
import type { Instance } from '../model/instance.ts';
import type { GatewayOpinion } from '../reconcile/verdict.ts';
import { opinionsIn } from '../telemetry/gateway-view.ts';

const EVERY_MS = 5_000;
const SELDOM_MS = 30_000;
/** While somebody waits to hear of an instance that is new. */
const SOON_MS = 150;
/** The list of a large fleet costs Envoy and us some ten milliseconds: about half a percent of the time. */
const REST_FACTOR = 200;
const REST_FACTOR_SOON = 20;

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
  let isAsking = false;
  let dueAt = 0;
  let tookMs = 0;

  async function refresh(): Promise<void> {
    if (gateway === undefined) return;
    try {
      const next = opinionsIn(await gateway.admin('/clusters'));
      const changed = [...next].filter(([upstream, ill]) => opinions.get(upstream) !== ill);
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
    clearTimeout(timer);
    dueAt = performance.now() + ms;
    timer = setTimeout(() => {
      const start = performance.now();
      isAsking = true;
      void refresh().finally(() => {
        isAsking = false;
        tookMs = performance.now() - start;
        plan(Math.min(SELDOM_MS, Math.max(EVERY_MS, REST_FACTOR * tookMs)));
      });
    }, ms);
    timer.unref();
  }

  /** It is ready and was not heard of: it gets no session before the gateway's first check of it, so this is worth asking for. */
  function planSoon(): void {
    const wait = Math.max(SOON_MS, REST_FACTOR_SOON * tookMs);
    if (gateway !== undefined && !isAsking && dueAt - performance.now() > wait) plan(wait);
  }

  return {
    of({ address, state, drain }) {
      if (address === undefined) return undefined;
      const ill = opinions.get(addressText(address));
      if (ill === undefined && state === 'ready') planSoon();
      if (ill === undefined) return undefined;
      if (ill !== '') return { state: 'failed', reason: ill, at };
      const drains = drain === undefined ? '' : '; it drains, so that no new session goes there';
      return { state: 'ok', reason: `the gateway's own check passes${drains}`, at };
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
