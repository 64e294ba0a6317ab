/** Rebalancing under way: looks once a second, steers or moves, and stops by itself when it is even. Kept in memory: after a restart it is asked for again. */
import type { Balance, BalanceShare, RebalanceRequest } from '../model/balance.ts';
import { SwitchboardError } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { SessionEnd } from '../model/session-end.ts';
import type { Registry } from '../registry/registry.ts';
import type { Session } from '../telemetry/session.ts';
import { balanceOf, isEven, sharesOf, steeringFactors } from './balance.ts';

export interface Rebalancer {
  /** Error: not_found. */
  balance(service: string): Balance;
  /** Errors: not_found, unsupported (with the reason). */
  rebalance(service: string, request: RebalanceRequest): Balance;
  /** By what an instance's weight is multiplied at present; undefined: nobody steers its service. */
  factor(instance: string): number | undefined;
  close(): void;
}

export interface RebalancerOptions {
  readonly registry: Registry;
  readonly sessionsOf: (instance: Instance) => number;
  readonly sessions: () => readonly Session[];
  /** By the agent's hook alone: a connection is never cut for balance. */
  readonly askToEnd: (sessions: readonly Session[]) => Promise<readonly SessionEnd[]>;
  readonly now: () => number;
  /** The factors have changed. */
  readonly onChange: () => void;
}

const LOOK_MS = 1_000;

interface Run {
  readonly mode: 'steer' | 'move';
  readonly startedAt: string;
  readonly rate: number;
  readonly most: number;
  moved: number;
  message: string;
  factors: ReadonlyMap<string, number>;
}

export function createRebalancer(options: RebalancerOptions): Rebalancer {
  const { registry, sessionsOf, now, onChange } = options;
  const runs = new Map<string, Run>();

  function shares(service: string): BalanceShare[] {
    const all = [...registry.view().instances.values()].map((held) => held.value);
    return sharesOf(
      all.filter((instance) => instance.service === service),
      sessionsOf,
    );
  }

  function balance(name: string): Balance {
    const held = registry.view().services.get(name);
    if (held === undefined) throw new SwitchboardError('not_found', `there is no service ${name}`);
    const run = runs.get(name);
    const running =
      run === undefined ? null : { mode: run.mode, startedAt: run.startedAt, moved: run.moved, message: run.message };
    return balanceOf(held.value, shares(name), running);
  }

  async function move(name: string, run: Run): Promise<void> {
    const left = Math.min(run.rate, run.most - run.moved);
    const chosen: Session[] = [];
    for (const { instance, excess } of shares(name)) {
      const theirs = options.sessions().filter((session) => session.instance === instance);
      // The youngest have the least to lose.
      theirs.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
      chosen.push(...theirs.slice(0, Math.min(excess, left - chosen.length)));
    }
    const answers = await options.askToEnd(chosen);
    const asked = answers.filter((one) => one.outcome === 'asked').length;
    run.moved += asked;
    const refused = answers.find((one) => one.outcome === 'cannot');
    run.message = refused === undefined ? `${run.moved} sessions were asked to move` : refused.message;
    if (run.moved >= run.most || (asked === 0 && refused !== undefined)) runs.delete(name);
  }

  function steer(name: string, run: Run): void {
    const next = steeringFactors(shares(name));
    const same = next.size === run.factors.size && [...next].every(([id, factor]) => run.factors.get(id) === factor);
    if (same) return;
    run.factors = next;
    onChange();
  }

  const timer = setInterval(() => {
    for (const [name, run] of runs) {
      if (!registry.view().services.has(name) || isEven(shares(name))) {
        runs.delete(name);
        if (run.factors.size > 0) onChange();
      } else if (run.mode === 'steer') steer(name, run);
      else
        move(name, run).catch((error: unknown) => {
          run.message = String(error);
        });
    }
  }, LOOK_MS);
  timer.unref();

  return {
    balance,
    rebalance(name, { mode, rate, most, dryRun }) {
      const present = balance(name);
      if (mode === 'stop') {
        if (!dryRun && runs.delete(name)) onChange();
        return balance(name);
      }
      const way = mode === 'steer' ? present.steering : present.moving;
      if (!way.possible)
        throw new SwitchboardError('unsupported', `service ${name} can not be rebalanced by ${mode}: ${way.reason}`);
      if (dryRun || present.isEven) return present;
      const startedAt = new Date(now()).toISOString();
      const message = mode === 'steer' ? 'new sessions go to those with fewer' : 'begins to move sessions';
      const run: Run = { mode, startedAt, rate, most, moved: 0, message, factors: new Map() };
      runs.set(name, run);
      if (mode === 'steer') steer(name, run);
      return balance(name);
    },
    factor(instance) {
      for (const run of runs.values()) {
        const factor = run.factors.get(instance);
        if (factor !== undefined) return factor;
      }
      return undefined;
    },
    close() {
      clearInterval(timer);
    },
  };
}
