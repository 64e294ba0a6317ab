/** Fails the build where a language lacks a message, or has one that English has not. */
import type { Plugin } from 'vite';
import { en } from '../src/i18n/en/index.ts';
import { zhCN } from '../src/i18n/zh-cn/index.ts';

function keysOf(messages: object, path = ''): string[] {
  return Object.entries(messages).flatMap(([key, value]: [string, unknown]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return typeof value === 'object' && value !== null ? keysOf(value, here) : [`${here} (${typeof value})`];
  });
}

export function catalogue(): Plugin {
  return {
    name: 'switchboard-catalogue',
    buildStart() {
      const english = new Set(keysOf(en));
      const chinese = new Set(keysOf(zhCN));
      const missing = [...english].filter((key) => !chinese.has(key));
      const unknown = [...chinese].filter((key) => !english.has(key));
      if (missing.length + unknown.length > 0)
        this.error(
          `zh-CN lacks: ${missing.join(', ') || 'nothing'}; English lacks: ${unknown.join(', ') || 'nothing'}`,
        );
    },
  };
}
