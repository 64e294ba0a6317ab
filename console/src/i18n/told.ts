/**
 * What the control plane says of something, in the language of this page: in English its own sentence, otherwise one made of the code beside it. Where that
 * sentence knows more than the code, as an error of an agent or of Envoy, it stands beside in its own words; what has no code stays as it is.
 */
import type { EndedSession, InstanceView, ServiceView, Session } from '../../../control-plane/src/api/types.ts';
import { isError, messageOf } from '../../../control-plane/src/model/errors.ts';
import type { Event } from '../../../control-plane/src/model/event.ts';
import type { Condition } from '../../../control-plane/src/model/meta.ts';
import { takesSessions } from '../../../control-plane/src/model/takes-sessions.ts';
import { dateTime } from './format.ts';
import { t } from './i18n.svelte.ts';
import type { Sentences, ToldRollout } from './sentences.ts';

export interface Told {
  readonly text: string;
  /** `text` is the control plane's own. */
  readonly own: boolean;
  /** Its own words beside; empty: they say no more. */
  readonly detail: string;
}

/** Envoy's words, and others' for which there is no code. */
export const own = (text: string): Told => ({ text, own: true, detail: '' });
const said = (text: string, detail = ''): Told => ({ text, own: false, detail });

/** Codes come over the wire: a newer control plane may have one that is not known here. */
const of = <T>(all: Readonly<Record<string, T>>, code: string): T | undefined =>
  Object.hasOwn(all, code) ? all[code] : undefined;

const IN_DETAIL: ReadonlySet<string> = new Set([
  'BadLaunch',
  'CrashLoop',
  'Missing',
  'OutOfMemory',
  'ProbeFailed',
  'ProcessLimit',
  'StartFailed',
  'StartTimeout',
  'Unavailable',
  'Unhealthy',
  'WaitsForDependency',
  'NameNotResolved',
  'ListensElsewhere',
  'AnalysisFailed',
  'Inconclusive',
  'ProgressDeadline',
  'Behind',
  'CannotBeServed',
  'DiffersFromRegistry',
  'NotServed',
  'OrderByName',
  'Refused',
  'RefusedByGateway',
  'RuntimeUnreachable',
  'TakesStandardPath',
  'Unreachable',
  'gateway.drift',
  'gateway.hang',
  'gateway.lost',
  'gateway.move',
  'gateway.outdated',
  'gateway.restart',
  'instance.backoff',
  'instance.failed',
  'instance.update',
  'rollout.abort',
  'rollout.pause',
  'rollout.step',
  'service.autoscale',
  'service.deadly-request',
  'session.end',
]);
const detailOf = (code: string, text: string): string => (IN_DETAIL.has(code) ? text : '');

function leaving(sentences: Sentences, reason: string): string {
  return of(sentences.leaving, reason) ?? reason;
}

export function reasonToLeave(reason: string): string {
  const { sentences } = t();
  return sentences === undefined ? reason : leaving(sentences, reason);
}

export function ofInstance(one: InstanceView): Told {
  const { sentences } = t();
  const ill =
    one.state === 'ready' && one.health !== null && !takesSessions(one.health) ? one.health.reason : undefined;
  if (sentences === undefined) return own(ill ?? one.message);
  if (ill !== undefined) return said(sentences.unhealthy, ill);
  if (one.state === 'draining' && one.reason !== 'Drained')
    return said(sentences.drains(one, leaving(sentences, one.reason), dateTime));
  const make = of(sentences.instance, one.reason);
  if (make === undefined) return own(one.message);
  // How its process ended is known field by field.
  const exited = one.lastExit?.at === one.since;
  return said(make(one, dateTime), exited ? '' : detailOf(one.reason, one.message));
}

/** `instances`: its own, of which the first that is not well tells why. */
export function ofService(one: ServiceView, instances: readonly InstanceView[]): Told {
  const { sentences } = t();
  const { state, message } = one.status;
  const make = sentences === undefined ? undefined : of(sentences.service, state);
  if (make === undefined) return own(message);
  const failed =
    state === 'degraded' || state === 'failed'
      ? instances.find((instance) => instance.state === 'failed' || instance.state === 'backoff')
      : undefined;
  if (failed === undefined) return said(make(one));
  const why = ofInstance(failed);
  return said(`${make(one)}；${failed.id} ${why.text}`, why.detail);
}

export function ofRollout(one: ToldRollout): Told {
  const { sentences } = t();
  const make = sentences === undefined ? undefined : of(sentences.rollout, one.reason);
  return make === undefined ? own(one.message) : said(make(one), detailOf(one.reason, one.message));
}

export function ofCondition({ reason, message }: Pick<Condition, 'reason' | 'message'>): Told {
  const { sentences } = t();
  const text = sentences === undefined ? undefined : of(sentences.condition, reason);
  return text === undefined ? own(message) : said(text, detailOf(reason, message));
}

export function ofEvent({ action, subject, message }: Event): Told {
  const { sentences } = t();
  const make = sentences === undefined ? undefined : of(sentences.event, action);
  return make === undefined ? own(message) : said(make(subject.name), detailOf(action, message));
}

export function ofEnd({ how, why }: EndedSession): Told {
  const { sentences } = t();
  const text = sentences === undefined ? undefined : of(sentences.end, how);
  return text === undefined ? own(why) : said(text);
}

export function ofPlacement(one: Session | EndedSession): Told {
  const { sentences } = t();
  return sentences === undefined || one.reason === '' ? own(one.reason) : said(sentences.placed(one));
}

export function ofError(error: unknown): Told {
  const { sentences } = t();
  const text = sentences === undefined || !isError(error) ? undefined : of(sentences.problem, error.code);
  return text === undefined ? own(messageOf(error)) : said(text, messageOf(error));
}
