/** Where each resource lies in the store, and the one place that turns stored JSON back into resources. */
import type { Scale } from '../model/autoscale.ts';
import type { Event } from '../model/event.ts';
import type { Instance } from '../model/instance.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Route } from '../model/route.ts';
import type { Service } from '../model/service.ts';
import type { Version } from '../model/version.ts';
import type { Change, Json } from '../store/store.ts';

export const serviceKey = (name: string): string => `service/${name}`;
export const routeKey = (name: string): string => `route/${name}`;
export const instanceKey = (id: string): string => `instance/${id}`;
/** Padded, so that the store's order by key is the order by number. */
export const versionKey = (service: string, number: number): string =>
  `version/${service}/${String(number).padStart(8, '0')}`;
export const rolloutKey = (service: string): string => `rollout/${service}`;
export const scaleKey = (service: string): string => `scale/${service}`;
export const EVENT_PREFIX = 'event/';
export const eventKey = (id: string): string => `${EVENT_PREFIX}${id}`;
/** The newest and the oldest link of the chain of events. It sorts right after the newest event, so that a commit of both writes one page of the store. */
export const CHAIN_KEY = 'event~chain';

export type Resource = Service | Version | Instance | Route | Rollout | Scale | Event;

/** A put of a resource. Undefined members are left out, as JSON has no such value. */
export function put(key: string, value: Resource): Change {
  return { op: 'put', key, value: JSON.parse(JSON.stringify(value)) as Json };
}

export function remove(key: string): Change {
  return { op: 'delete', key };
}
