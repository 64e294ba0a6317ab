/** The words of the chosen language. Each language is a file of its own that is loaded only when chosen. */
import type { Language } from '../shell/preferences.svelte.ts';
import type { Messages } from './en/index.ts';

const LOADERS: Readonly<Record<Language, () => Promise<Messages>>> = {
  en: async () => (await import('./en/index.ts')).en,
  'zh-CN': async () => (await import('./zh-cn/index.ts')).zhCN,
};

let messages = $state.raw<Messages | undefined>(undefined);
let shown = $state<Language>('en');

export async function loadLanguage(language: Language): Promise<void> {
  messages = await LOADERS[language]();
  shown = language;
  document.documentElement.lang = language;
}

/** The messages now; a component that calls it is drawn anew when the language changes. */
export function t(): Messages {
  if (messages === undefined) throw new Error('no language is loaded');
  return messages;
}

/** For Intl: `en-GB` gives 24-hour clocks. */
export function locale(): string {
  return shown === 'en' ? 'en-GB' : shown;
}
