/** Many things of a kind in a row are one stop for Tab: arrows, Home and End go from one to the next. */
import type { Attachment } from 'svelte/attachments';

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

const CHOSEN = '[aria-pressed=true], [aria-current=page]';

/** Tab stops at the chosen one, else at the one that was focused last, else at the first, or with `fromEnd` at the last. */
export function roving(selector: string, { fromEnd = false } = {}): Attachment<HTMLElement> {
  return (box) => {
    let visited: HTMLElement | undefined;
    const items = (): HTMLElement[] => [...box.querySelectorAll<HTMLElement>(selector)];

    function arrange(): void {
      const all = items();
      const stop =
        all.find((one) => one === document.activeElement) ??
        all.find((one) => one.matches(CHOSEN)) ??
        all.find((one) => one === visited) ??
        all.at(fromEnd ? -1 : 0);
      for (const one of all) one.tabIndex = one === stop ? 0 : -1;
    }

    function onFocus({ target }: FocusEvent): void {
      const item = (target as HTMLElement).closest<HTMLElement>(selector);
      if (item === null) return;
      visited = item;
      arrange();
    }

    function onLeave({ relatedTarget }: FocusEvent): void {
      if (!box.contains(relatedTarget as Node | null)) queueMicrotask(arrange);
    }

    function onKey(event: KeyboardEvent): void {
      const all = items();
      const at = all.indexOf(event.target as HTMLElement);
      if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      const to = event.key === 'Home' ? 0 : event.key === 'End' ? all.length - 1 : at + (STEPS[event.key] ?? NaN);
      if (Number.isNaN(to)) return;
      event.preventDefault();
      all[to]?.focus();
    }

    arrange();
    const observer = new MutationObserver(arrange);
    observer.observe(box, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ['aria-pressed', 'aria-current'],
    });
    box.addEventListener('focusin', onFocus);
    box.addEventListener('focusout', onLeave);
    box.addEventListener('keydown', onKey);
    return () => {
      observer.disconnect();
      box.removeEventListener('focusin', onFocus);
      box.removeEventListener('focusout', onLeave);
      box.removeEventListener('keydown', onKey);
    };
  };
}
