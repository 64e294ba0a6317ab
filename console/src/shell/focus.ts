/**
 * Focus that would be lost because what had it is gone (a row that vanished, a button that was taken away) goes on beside it; what was only moved in its
 * list keeps it. Without this a keyboard or a screen reader would be nowhere.
 */

/** An element that had the focus or is around it, and what stood beside it then. */
interface Spot {
  readonly element: HTMLElement;
  readonly next: Element | null;
  readonly previous: Element | null;
}

const FOCUSABLE =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex="0"], [contenteditable=true]';
const DIALOG = '[role=dialog], [role=alertdialog], [role=menu]';

function spotsFrom(element: HTMLElement, main: HTMLElement): Spot[] {
  const spots: Spot[] = [];
  for (let one: HTMLElement | null = element; one !== null && one !== main; one = one.parentElement)
    spots.push({ element: one, next: one.nextElementSibling, previous: one.previousElementSibling });
  return spots;
}

const isUsable = (element: HTMLElement): boolean => element.isConnected && !element.matches(':disabled');

function firstIn(element: Element | null): HTMLElement | undefined {
  if (element?.isConnected !== true) return undefined;
  return [element, ...element.querySelectorAll(FOCUSABLE)].find(
    (one): one is HTMLElement => one instanceof HTMLElement && one.matches(FOCUSABLE) && one.checkVisibility(),
  );
}

/** The thing itself, else what stands nearest to it: the next row before the one before, what is around it before what is beyond. */
function heir(spots: readonly Spot[]): HTMLElement | undefined {
  const [first] = spots;
  if (first !== undefined && isUsable(first.element)) return first.element;
  for (const { element, next, previous } of spots) {
    const found = firstIn(element) ?? firstIn(next) ?? firstIn(previous);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Watches over the focus in `main`. Dialogs and menus look after their own, and give it back where they were opened: if that is gone, or was nowhere, it is lost too. */
export function keepFocus(main: HTMLElement): () => void {
  let spots: readonly Spot[] = [];
  let wasInDialog = false;
  const stop = new AbortController();
  const { signal } = stop;
  document.addEventListener(
    'focusin',
    ({ target }) => {
      if (!(target instanceof HTMLElement)) return;
      wasInDialog = target.closest(DIALOG) !== null;
      if (!wasInDialog) spots = main.contains(target) ? spotsFrom(target, main) : [];
    },
    { signal },
  );
  // A press beside everything takes it away too, and that is meant.
  document.addEventListener(
    'pointerdown',
    ({ target }) => {
      if (document.activeElement?.contains(target as Node) === true && document.activeElement !== document.body) return;
      spots = [];
      wasInDialog = false;
    },
    { signal, capture: true },
  );
  const observer = new MutationObserver(() => {
    if (document.activeElement !== document.body || document.querySelector(DIALOG) !== null) return;
    if (spots.length > 0 || wasInDialog) (heir(spots) ?? main).focus({ preventScroll: true });
  });
  observer.observe(document.body, { childList: true, subtree: true });
  return () => {
    stop.abort();
    observer.disconnect();
  };
}
