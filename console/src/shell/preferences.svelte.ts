/** What this browser remembers: language, theme, and whether the first-run guide was put away. */
export type Language = 'en' | 'zh-CN';
export type Theme = 'light' | 'dark' | 'system';

const read = (key: string): string | null => localStorage.getItem(`switchboard.${key}`);
const dark = matchMedia('(prefers-color-scheme: dark)');

class Preferences {
  #language = $state<Language>(
    (read('language') ?? navigator.language).toLowerCase().startsWith('zh') ? 'zh-CN' : 'en',
  );
  #theme = $state<Theme>((['light', 'dark'] as const).find((one) => one === read('theme')) ?? 'system');
  #systemDark = $state(dark.matches);
  #guideClosed = $state(read('guide') === 'closed');
  #answered = $state(read('answered') === 'yes');

  constructor() {
    dark.addEventListener('change', (event) => (this.#systemDark = event.matches));
  }

  get language(): Language {
    return this.#language;
  }
  set language(language: Language) {
    this.#language = language;
    localStorage.setItem('switchboard.language', language);
  }
  get theme(): Theme {
    return this.#theme;
  }
  set theme(theme: Theme) {
    this.#theme = theme;
    localStorage.setItem('switchboard.theme', theme);
  }
  get shownTheme(): 'light' | 'dark' {
    return this.#theme === 'system' ? (this.#systemDark ? 'dark' : 'light') : this.#theme;
  }
  get guideClosed(): boolean {
    return this.#guideClosed;
  }
  set guideClosed(closed: boolean) {
    this.#guideClosed = closed;
    localStorage.setItem('switchboard.guide', closed ? 'closed' : 'open');
  }
  /** An agent has answered in the playground: the last step of the guide. */
  get answered(): boolean {
    return this.#answered;
  }
  set answered(answered: boolean) {
    this.#answered = answered;
    localStorage.setItem('switchboard.answered', answered ? 'yes' : 'no');
  }
}

export const preferences = new Preferences();
