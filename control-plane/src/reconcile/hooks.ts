/** Calls an agent's hook. What it answers is data: an agent that refuses, hangs or has no such path is no error of ours. */
import { hostText } from '../model/address.ts';
import { messageOf } from '../model/errors.ts';
import type { Hooks } from '../model/hooks.ts';
import { fillTemplate } from '../model/template.ts';
import type { Instance } from '../model/instance.ts';
import type { RegistryView } from '../registry/registry.ts';

/** Those of its service; where that is deleted, those that it had. */
export const hooksOf = (view: RegistryView, { service, drain }: Instance): Hooks | undefined =>
  view.services.has(service) ? view.services.get(service)?.value.spec.hooks : drain?.hooks;

export interface HookAnswer {
  readonly ok: boolean;
  /** One sentence. */
  readonly message: string;
}

const LONGEST_ANSWER = 300;

/** POSTs JSON to the URL that the template gives for the instance. Never rejects. */
export async function callHook(
  template: string,
  instance: Pick<Instance, 'id' | 'service' | 'address'>,
  body: object,
  timeoutMs: number,
): Promise<HookAnswer> {
  const { host = '', port = 0 } = instance.address ?? {};
  const values = {
    host: hostText(host),
    port: String(port),
    instance: instance.id,
    service: instance.service,
  };
  try {
    const answer = await fetch(fillTemplate(template, values), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'switchboard-hook' },
      body: JSON.stringify(body),
      // A hook that leads elsewhere is not followed: the body names clients.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = (await answer.text()).slice(0, LONGEST_ANSWER).trim();
    return answer.ok
      ? { ok: true, message: `answered ${answer.status}` }
      : { ok: false, message: `answered ${answer.status}${text === '' ? '' : `: ${text}`}` };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const slow = error instanceof Error && error.name === 'TimeoutError';
    return { ok: false, message: slow ? `did not answer within ${timeoutMs} ms` : messageOf(cause) };
  }
}
