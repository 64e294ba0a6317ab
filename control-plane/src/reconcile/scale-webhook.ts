/** Asks a policy's webhook how many instances it wants, at its own pace: the autoscaler takes the last answer. */
import { z } from 'zod';
import { askJson } from '../analysis/ask.ts';
import type { Autoscale, ScaleSample } from '../model/autoscale.ts';
import { messageOf } from '../model/errors.ts';
import type { Log } from '../log.ts';

const EVERY_MS = 15_000;
const LONGEST_MS = 5_000;
/** An answer that is older is no answer. */
const FRESH_MS = 60_000;

const Answer = z.object({ replicas: z.int().min(0).max(1000) });

interface Asked {
  readonly url: string;
  askedAt: number;
  answer: { readonly at: number; readonly replicas: number } | undefined;
}

export interface ScaleWebhooks {
  /** The last answer, if there is a fresh one. */
  ask(service: string, policy: Autoscale, sample: ScaleSample): number | undefined;
}

export function createScaleWebhooks({ now, log }: { now: () => number; log: Log }): ScaleWebhooks {
  const asked = new Map<string, Asked>();

  async function send(one: Asked, service: string, sample: ScaleSample): Promise<void> {
    try {
      const answer = Answer.safeParse(
        await askJson(new URL(one.url), {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ service, ...sample }),
          signal: AbortSignal.timeout(LONGEST_MS),
        }),
      );
      if (!answer.success) throw new Error('the answer has no replicas from 0 to 1000');
      one.answer = { at: now(), replicas: answer.data.replicas };
    } catch (error) {
      log.warn({ service, error: messageOf(error) }, 'the webhook of an autoscaler did not answer');
    }
  }

  return {
    ask(service, policy, sample) {
      if (policy.webhook === undefined) return undefined;
      let one = asked.get(service);
      if (one?.url !== policy.webhook)
        asked.set(service, (one = { url: policy.webhook, askedAt: 0, answer: undefined }));
      if (Math.abs(now() - one.askedAt) >= EVERY_MS) {
        one.askedAt = now();
        void send(one, service, sample);
      }
      return one.answer !== undefined && now() - one.answer.at < FRESH_MS ? one.answer.replicas : undefined;
    },
  };
}
