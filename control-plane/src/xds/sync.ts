/** What a subscription tells of the other side, in the field's four words. */
import type { TypeSet } from './snapshot.ts';
import type { ResourceSync, SubscriptionState, TypeSync } from './status.ts';
import { ABSENT } from './known.ts';
import { wantedResources, type Subscription } from './subscription.ts';

export function syncOf(subscription: Subscription): TypeSync {
  const { sentVersion: sent, ackedVersion: acked, lastNack, inFlight, dirty, allSince, answered } = subscription;
  const state =
    lastNack !== undefined
      ? 'ERROR'
      : !answered && acked === ''
        ? 'NOT_SENT'
        : inFlight === undefined && dirty.size === 0 && allSince === undefined
          ? 'SYNCED'
          : 'STALE';
  return { state, sent, acked, ...(lastNack === undefined ? {} : { nack: lastNack }) };
}

/** One entry for each name that is asked for and exists, or that the other side still has. */
export function resourcesOf(subscription: Subscription, set: TypeSet): ResourceSync[] {
  const { known, receipts, wholeReceipt, refused, inFlight } = subscription;
  const names = new Set([...[...wantedResources(subscription, set)].map(({ name }) => name), ...known.keys()]);
  return [...names].flatMap((name): ResourceSync[] => {
    const has = known.get(name);
    const wanted = set.resources.get(name);
    if (has === ABSENT && wanted === undefined) return [];
    const refusal = refused.get(name);
    const sent = inFlight?.sent.get(name);
    const acked = has?.version ?? '';
    const state =
      refusal !== undefined
        ? 'ERROR'
        : has !== undefined && has.isUncertain !== true && has.version === wanted?.version
          ? 'SYNCED'
          : sent === undefined && has === undefined
            ? 'NOT_SENT'
            : 'STALE';
    const receipt = receipts.get(name) ?? (state === 'NOT_SENT' ? undefined : wholeReceipt);
    const running = has?.resource ?? (has?.version === wanted?.version ? wanted : undefined);
    return [
      {
        name,
        state,
        version: wanted?.version ?? '',
        sent: refusal?.version ?? sent?.version ?? acked,
        acked,
        revision: receipt?.revision ?? 0,
        sentAt: receipt?.sentAt ?? null,
        answeredAt: receipt?.answeredAt ?? null,
        ...(refusal === undefined
          ? {}
          : { nack: { message: refusal.message, version: refusal.version, at: refusal.at } }),
        ...(wanted === undefined ? {} : { wanted: wanted.body }),
        ...(running === undefined ? {} : { running: running.body }),
      },
    ];
  });
}

export function outlineOf(subscription: Subscription): SubscriptionState {
  const { type, wildcard, names, nonce, lastAnswers } = subscription;
  const { state, sent, acked } = syncOf(subscription);
  return { type, wildcard, names: [...names], nonce, state, sent, acked, ...lastAnswers };
}
