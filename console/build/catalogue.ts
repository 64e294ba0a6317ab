/** Fails the build where a language lacks a message, or has one that English has not; and where it has no sentence for a code of the control plane. */
import type { Plugin } from 'vite';
import {
  CONDITION_REASONS,
  END_REASONS,
  EVENT_ACTIONS,
  INSTANCE_REASONS,
  LEAVING_REASONS,
  ROLLOUT_REASONS,
} from '../../control-plane/src/model/reasons.ts';
import { ERROR_CODES } from '../../control-plane/src/model/errors.ts';
import { en, type Messages } from '../src/i18n/en/index.ts';
import { zhCN } from '../src/i18n/zh-cn/index.ts';

const CODES: Readonly<Record<string, readonly string[]>> = {
  instance: INSTANCE_REASONS,
  leaving: LEAVING_REASONS,
  rollout: ROLLOUT_REASONS,
  condition: CONDITION_REASONS,
  event: EVENT_ACTIONS,
  end: END_REASONS,
  problem: ERROR_CODES,
};

function unsaid(sentences: object | undefined): string[] {
  const all = (sentences ?? {}) as Readonly<Record<string, object | undefined>>;
  return Object.entries(CODES).flatMap(([kind, codes]) =>
    codes.filter((code) => !Object.hasOwn(all[kind] ?? {}, code)).map((code) => `sentences.${kind}.${code}`),
  );
}

function keysOf(messages: object, path = ''): string[] {
  return Object.entries(messages).flatMap(([key, value]: [string, unknown]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return typeof value === 'object' && value !== null ? keysOf(value, here) : [`${here} (${typeof value})`];
  });
}

/** What each language lacks, in words; empty: nothing. */
export function lacks(english: Messages, chinese: Messages): string {
  // English needs no sentences: it has the control plane's own.
  const [own, other] = [english, chinese].map((messages) => new Set(keysOf({ ...messages, sentences: {} })));
  const missing = [...(own ?? [])].filter((key) => other?.has(key) === false);
  const unknown = [...(other ?? [])].filter((key) => own?.has(key) === false);
  const all = [...missing, ...unsaid(chinese.sentences)];
  return [
    ...(all.length === 0 ? [] : [`zh-CN lacks: ${all.join(', ')}`]),
    ...(unknown.length === 0 ? [] : [`English lacks: ${unknown.join(', ')}`]),
  ].join('; ');
}

export function catalogue(): Plugin {
  return {
    name: 'switchboard-catalogue',
    buildStart() {
      const found = lacks(en, zhCN);
      if (found !== '') this.error(found);
    },
  };
}
