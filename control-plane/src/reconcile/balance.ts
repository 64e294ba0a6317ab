/** The spread of a service's sessions, and what would make it even. Pure. */
import type { Balance, BalanceShare } from '../model/balance.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';

/** This much above or below the even share is as even as sessions that come and go let it be. */
const TOLERANCE = 0.1;

export function sharesOf(instances: readonly Instance[], sessionsOf: (instance: Instance) => number): BalanceShare[] {
  const serving = instances.filter((one) => one.state === 'ready' && one.drain === undefined);
  const weights = serving.reduce((sum, one) => sum + one.weight, 0);
  const total = serving.reduce((sum, one) => sum + sessionsOf(one), 0);
  return serving
    .map((one) => {
      const sessions = sessionsOf(one);
      const even = weights === 0 ? 0 : (total * one.weight) / weights;
      const excess = Math.max(0, Math.floor(sessions - even));
      return { instance: one.id, weight: one.weight, sessions, even: Math.round(even * 10) / 10, excess };
    })
    .sort((a, b) => b.excess - a.excess || b.sessions - a.sessions || (a.instance < b.instance ? -1 : 1));
}

export function isEven(shares: readonly BalanceShare[]): boolean {
  return shares.every(({ sessions, even }) => Math.abs(sessions - even) <= Math.max(1, TOLERANCE * even));
}

function steering({ spec }: Service): Balance['steering'] {
  const { type } = spec.gateway.policy;
  switch (type) {
    case 'weighted':
      return { possible: true, reason: 'its policy takes weights: those with fewer sessions get more of the new ones' };
    case 'least-connections':
      return { possible: false, reason: 'least-connections sends new sessions to those with fewer by itself' };
    case 'performance':
      return { possible: false, reason: 'the performance policy weighs the instances by itself' };
    default:
      return { possible: false, reason: `the policy ${type} takes no weights` };
  }
}

export function balanceOf(service: Service, shares: readonly BalanceShare[], running: Balance['running']): Balance {
  const loads = shares.map(({ sessions, weight }) => sessions / weight);
  const least = Math.min(...loads);
  const hasHook = service.spec.hooks?.close !== undefined;
  return {
    service: service.name,
    sessions: shares.reduce((sum, one) => sum + one.sessions, 0),
    ratio: shares.length === 0 ? 1 : least === 0 ? null : Math.round((Math.max(...loads) / least) * 100) / 100,
    isEven: isEven(shares),
    toMove: shares.reduce((sum, one) => sum + one.excess, 0),
    shares,
    steering: steering(service),
    moving: {
      possible: hasHook,
      reason: hasHook
        ? 'its agents end a session when they are asked to (spec.hooks.close), and its client comes back'
        : 'the service has no close hook (spec.hooks.close): only the agent itself can end a session kindly',
    },
    running,
  };
}

/** By how much each instance's weight is multiplied while new sessions are steered: from a quarter to four times, in steps. */
export function steeringFactors(shares: readonly BalanceShare[]): ReadonlyMap<string, number> {
  return new Map(
    shares.map(({ instance, sessions, even }) => {
      const wanted = (even + 1) / (sessions + 1);
      // Powers of two: a session more or less changes nothing for Envoy.
      return [instance, 2 ** Math.max(-2, Math.min(2, Math.round(Math.log2(wanted))))];
    }),
  );
}
