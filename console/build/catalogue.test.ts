import { expect, it } from 'vitest';
import { en } from '../src/i18n/en/index.ts';
import { zhCN } from '../src/i18n/zh-cn/index.ts';
import { lacks } from './catalogue.ts';

it('both languages have every message, and Chinese a sentence for every code of the control plane', () => {
  expect(lacks(en, zhCN)).toBe('');
});

it('names what is missing', () => {
  const { sentences, nouns, ...rest } = zhCN;
  const { OutOfMemory: _, ...instance } = sentences?.instance ?? ({} as NonNullable<typeof sentences>['instance']);
  const poorer = { ...rest, nouns: { ...nouns, more: 'x' }, sentences: { ...sentences, instance } };
  expect(lacks(en, poorer as unknown as typeof en)).toBe(
    'zh-CN lacks: sentences.instance.OutOfMemory; English lacks: nouns.more (string)',
  );
  expect(lacks(en, { ...zhCN, sentences: undefined })).toContain('sentences.event.service.create');
});
