/**
 * Looks at each gateway at an interval and on demand. What differs is told from its second look on, since a push may have been on its way in the
 * first; the second look at something suspicious comes soon. A cluster that warms is told after half a minute.
 */
import type { ConditionReason } from '../model/reasons.ts';
import type { Drift, DriftReport } from '../model/gateway.ts';
import type { Condition } from '../model/meta.ts';
import { messageOf } from '../model/errors.ts';
import type { GatewaySync, TypeConfig } from '../xds/status.ts';
import { driftOf } from './drift.ts';
import { envoyFacts } from './envoy-facts.ts';
import type { Admin } from './envoy-config.ts';

export interface DriftWatch {
  report(node: string): DriftReport | undefined;
  /** Of the last looks: empty while nothing differs. */
  conditions(node: string): readonly Condition[];
  /** Looks twice, a moment apart, so that what it tells is settled. Undefined: no such gateway is connected. */
  look(node: string): Promise<DriftReport | undefined>;
  close(): void;
}

export interface DriftWatchOptions {
  readonly intervalMs: number;
  readonly now: () => number;
  readonly gateways: () => readonly GatewaySync[];
  readonly config: (node: string) => readonly TypeConfig[] | undefined;
  /** Undefined: its admin interface is not on this machine. */
  readonly adminOf: (node: string) => Admin | undefined;
  /** Called when drift begins, changes or ends. */
  readonly changed: (node: string, condition: Condition | undefined) => void;
}

const AGAIN_MS = 1_000;
const WARMING_MS = 30_000;
const MOST_NAMED = 20;

interface Seen {
  /** Of the look before, whatever became of it. */
  last: ReadonlySet<string>;
  warmingSince: Map<string, number>;
  report: DriftReport;
  condition: Condition | undefined;
}

const keyOf = ({ type, name, message }: Drift): string => `${type} ${name} ${message}`;

function sentence(drift: readonly Drift[]): string {
  const named = drift.slice(0, MOST_NAMED).map(({ type, name, message }) => `${type} ${name}: ${message}`);
  return [...named, ...(drift.length > MOST_NAMED ? [`and ${drift.length - MOST_NAMED} more`] : [])].join('; ');
}

export function createDriftWatch(options: DriftWatchOptions): DriftWatch {
  const { intervalMs, now, gateways, config, adminOf, changed } = options;
  const seen = new Map<string, Seen>();

  function conditionOf(drift: readonly Drift[], before: Condition | undefined): Condition | undefined {
    if (drift.length === 0) return undefined;
    const message = sentence(drift);
    const since = before?.since ?? new Date(now()).toISOString();
    return { type: 'Drift', status: 'true', reason: 'DiffersFromRegistry' satisfies ConditionReason, message, since };
  }

  /** True: something is suspicious that was not so the last time. */
  async function lookOnce(gateway: GatewaySync, admin: Admin): Promise<boolean> {
    const { node } = gateway;
    const before = seen.get(node);
    const lookedAt = new Date(now()).toISOString();
    let found: Drift[] = [];
    let unreachable = '';
    const warmingSince = new Map<string, number>();
    try {
      const facts = await envoyFacts(admin);
      found = driftOf(config(node) ?? [], gateway.variant, facts);
      for (const name of facts.warming) {
        const since = before?.warmingSince.get(name) ?? now();
        warmingSince.set(name, since);
        if (now() - since >= WARMING_MS)
          found.push({
            type: 'cds',
            name,
            message: 'it warms for more than 30 s: its endpoints or checks do not come',
          });
      }
    } catch (error) {
      unreachable = messageOf(error);
    }
    const last = new Set(found.map(keyOf));
    const drift = found.filter((one) => before?.last.has(keyOf(one)) === true || one.message.startsWith('it warms'));
    const condition = unreachable === '' ? conditionOf(drift, before?.condition) : before?.condition;
    seen.set(node, { last, warmingSince, condition, report: { node, lookedAt, unreachable, drift } });
    if (condition?.message !== before?.condition?.message) changed(node, condition);
    return found.length > drift.length;
  }

  async function lookAt(gateway: GatewaySync): Promise<void> {
    const admin = adminOf(gateway.node);
    if (admin === undefined) return;
    if (await lookOnce(gateway, admin)) {
      await new Promise((resolve) => {
        setTimeout(resolve, AGAIN_MS);
      });
      await lookOnce(gateway, admin);
    }
  }

  let looking = false;
  async function lookAtAll(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      const connected = gateways();
      for (const gateway of connected) await lookAt(gateway);
      const present = new Set(connected.map(({ node }) => node));
      for (const [node, { condition }] of seen) {
        if (present.has(node)) continue;
        seen.delete(node);
        if (condition !== undefined) changed(node, undefined);
      }
    } finally {
      looking = false;
    }
  }

  const timer = setInterval(() => {
    // Each part of a look that can fail is caught where it fails.
    void lookAtAll();
  }, intervalMs);
  timer.unref();

  return {
    report: (node) => seen.get(node)?.report,
    conditions(node) {
      const condition = seen.get(node)?.condition;
      return condition === undefined ? [] : [condition];
    },
    async look(node) {
      const gateway = gateways().find((one) => one.node === node);
      if (gateway === undefined) return undefined;
      await lookAt(gateway);
      const known = seen.get(node)?.report;
      const reason = 'its admin socket is on another machine';
      return known ?? { node, lookedAt: new Date(now()).toISOString(), unreachable: reason, drift: [] };
    },
    close() {
      clearInterval(timer);
    },
  };
}
