/**
 * Ends single sessions, by the gentlest means that there is: the agent's own close hook, so that its client gets a close frame; else the
 * connection between gateway and agent is destroyed, where this machine lets us; else it can't be done, and the answer says why.
 */
import { messageOf } from '../model/errors.ts';
import type { SessionEnd } from '../model/session-end.ts';
import { durationMs } from '../model/units.ts';
import type { RegistryView } from '../registry/registry.ts';
import type { Session } from '../telemetry/session.ts';
import { callHook } from './hooks.ts';

export interface EndOptions {
  readonly view: RegistryView;
  readonly reason: string;
  readonly dryRun: boolean;
  /** Why connections can't be destroyed on this machine; undefined: they can. */
  readonly whyNotDestroy: () => string | undefined;
  readonly destroy: (local: string, remote: string) => Promise<boolean>;
}

type Means = { readonly by: 'hook'; readonly url: string; readonly timeoutMs: number } | { readonly by: 'socket' };

function meansFor(session: Session, options: EndOptions): Means | string {
  const hooks = options.view.services.get(session.service)?.value.spec.hooks;
  const known = session.instance !== null && options.view.instances.has(session.instance);
  if (hooks?.close !== undefined && known)
    return { by: 'hook', url: hooks.close, timeoutMs: durationMs(hooks.timeout) };
  const whyNot = options.whyNotDestroy();
  if (whyNot === undefined && session.upstreamLocal !== '') return { by: 'socket' };
  return `service ${session.service} has no close hook (spec.hooks.close), and ${whyNot ?? 'its connection is not known'}; Envoy itself can not end a single session`;
}

/** One answer for each session, in their order. */
export async function endSessions(sessions: readonly Session[], options: EndOptions): Promise<SessionEnd[]> {
  const answers = new Map<string, SessionEnd>();
  const answer = (session: Session, outcome: SessionEnd['outcome'], message: string): void => {
    answers.set(session.id, { id: session.id, instance: session.instance, outcome, message });
  };
  const byInstance = new Map<string, { means: Extract<Means, { by: 'hook' }>; sessions: Session[] }>();
  for (const session of sessions) {
    const means = meansFor(session, options);
    if (typeof means === 'string') answer(session, 'cannot', means);
    else if (options.dryRun)
      answer(session, 'would', means.by === 'hook' ? 'its agent would be asked' : 'its connection would be destroyed');
    else if (means.by === 'socket') await cut(session, options, answer);
    else {
      const group = byInstance.get(session.instance ?? '') ?? { means, sessions: [] };
      group.sessions.push(session);
      byInstance.set(session.instance ?? '', group);
    }
  }
  for (const [id, { means, sessions: group }] of byInstance) {
    const instance = options.view.instances.get(id)?.value;
    if (instance === undefined) continue;
    const body = {
      instance: id,
      service: instance.service,
      reason: options.reason,
      sessions: group.map((session) => ({ id: session.requestId ?? session.id, client: session.client })),
    };
    const said = await callHook(means.url, instance, body, means.timeoutMs);
    for (const session of group)
      answer(
        session,
        said.ok ? 'asked' : 'cannot',
        `${said.ok ? 'its agent was asked' : 'its agent refused'}: ${said.message}`,
      );
  }
  return sessions.flatMap((session) => answers.get(session.id) ?? []);
}

async function cut(
  session: Session,
  { destroy }: EndOptions,
  answer: (session: Session, outcome: SessionEnd['outcome'], message: string) => void,
): Promise<void> {
  try {
    const found = await destroy(session.upstreamLocal, session.upstream);
    if (found) answer(session, 'cut', 'its connection was destroyed: the client sees it closed without a close frame');
    else answer(session, 'cannot', 'its connection is not on this machine, or has ended already');
  } catch (error) {
    answer(session, 'cannot', `its connection could not be destroyed: ${messageOf(error)}`);
  }
}
