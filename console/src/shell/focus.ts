/**
 * Focus that would be lost because what had it is gone (a row that vanished, a button that was taken away or is out of use now) goes on beside it;
 * what was only moved in its list keeps it. Without this a keyboard or a screen reader would be nowhere.
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

/** Watches over the focus in `main`; dialogs and menus look after their own. */
export function keepFocus(main: HTMLElement): () => void {
  let spots: readonly Spot[] = [];
  const stop = new AbortController();
  const { signal } = stop;
  document.addEventListener(
    'focusin',
    ({ target }) => {
      if (!(target instanceof HTMLElement) || target.closest(DIALOG) !== null) return;
      spots = main.contains(target) ? spotsFrom(target, main) : [];
    },
    { signal },
  );
  document.addEventListener(
    'focusout',
    ({ target, relatedTarget }) => {
      // Left by a press beside everything: that is meant.
      if (
        relatedTarget === null &&
        target instanceof HTMLElement &&
        isUsable(target) &&
        target.closest(DIALOG) === null
      )
        spots = [];
    },
    { signal },
  );
  const observer = new MutationObserver(() => {
    if (spots.length === 0 || document.activeElement !== document.body || document.querySelector(DIALOG) !== null)
      return;
    (heir(spots) ?? main).focus({ preventScroll: true });
  });
  observer.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled'] });
  return () => {
    stop.abort();
    observer.disconnect();
  };
}
