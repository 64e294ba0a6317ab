/** Keys that work everywhere: Ctrl/Cmd-K palette, `/` search, `?` help, `g` and a letter to jump. Never while something is typed. */
import { MENU } from './pages.ts';
import { router } from './router.svelte.ts';

const JUMP_MS = 1_500;

class Keyboard {
  palette = $state(false);
  help = $state(false);
  /** When `g` was pressed, by the clock of the events: a page that is slow to hear them does not miss the second. */
  #jump = -JUMP_MS;

  handle(event: KeyboardEvent): void {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      this.palette = !this.palette;
      return;
    }
    const target = event.target as HTMLElement;
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      target.isContentEditable ||
      /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
    )
      return;
    if (document.querySelector('[role=dialog],[role=alertdialog]') !== null) return;
    const jump = event.timeStamp - this.#jump < JUMP_MS ? MENU.find((one) => one.key === event.key) : undefined;
    this.#jump = -JUMP_MS;
    if (jump !== undefined) router.go(jump.href);
    else if (event.key === 'g') this.#jump = event.timeStamp;
    else if (event.key === '?') this.help = true;
    else if (event.key === '/') document.querySelector<HTMLInputElement>('[data-search]')?.focus();
    else return;
    event.preventDefault();
  }
}

export const keyboard = new Keyboard();
