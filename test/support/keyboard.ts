/** The keyboard as the only hand: the focus goes where a person brings it, in a number of presses that a person would accept, and is seen at each stop. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

const TOP = 'the top of the page';

/** What stands where the focus is, as one line, and whether a person would not see that it is there: beyond the edge, behind something, or without a frame. */
const STOP = `(() => {
  const one = document.activeElement;
  if (one === null || one === document.body) return { name: '${TOP}', unseen: false };
  const text = one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.placeholder ?? one.textContent ?? '';
  const name = one.tagName.toLowerCase() + ' "' + text.trim().replace(/\\s+/g, ' ').slice(0, 40) + '"';
  const { left, right, top, bottom, width, height } = one.getBoundingClientRect();
  const outside = bottom <= 0 || right <= 0 || top >= innerHeight || left >= innerWidth;
  const over = document.elementFromPoint(
    Math.min(Math.max(left + width / 2, 0), innerWidth - 1),
    Math.min(Math.max(top + Math.min(height / 2, 12), 0), innerHeight - 1),
  );
  const covered = over !== null && !one.contains(over) && !over.contains(one);
  const frame = one.matches('.cm-content') ? one.closest('.cm-editor') : one;
  const bare = getComputedStyle(frame).outlineStyle === 'none' && !one.matches('[role=menu], [role=dialog], [role=alertdialog], [role=combobox]');
  return { name, unseen: outside || covered || bare };
})()`;

interface Stop {
  readonly name: string;
  readonly unseen: boolean;
}

const PATIENCE_MS = 5_000;
const LONGEST_WALK = 300;

const withFocus = (target: Locator): Locator => target.and(target.page().locator(':focus'));

/** One press of Tab, to a stop that is seen; its name. */
async function step(page: Page, way: readonly string[], back = false): Promise<string> {
  await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
  const { name, unseen } = await page.evaluate<Stop>(STOP);
  // The editor draws its frame a moment later.
  if (unseen)
    await expect
      .poll(async () => page.evaluate<Stop>(STOP), {
        timeout: PATIENCE_MS,
        message: `the focus can't be seen after ${way.join(', ')}`,
      })
      .toMatchObject({ unseen: false });
  return name;
}

/** Presses Tab until `target` has the focus; fails when it takes more than `most` presses, and tells the way that it took. */
export async function reach(
  target: Locator,
  { most = 20, back = false }: { most?: number; back?: boolean } = {},
): Promise<void> {
  const page = target.page();
  await target.waitFor();
  const way: string[] = [];
  while ((await withFocus(target).count()) === 0) {
    if (way.length === most)
      throw new Error(`${most} presses of Tab do not come to ${String(target)}: ${way.join(', ')}`);
    way.push(await step(page, way, back));
  }
}

/** Goes there with Tab and presses a key. */
export async function press(
  target: Locator,
  key = 'Enter',
  options: { most?: number; back?: boolean } = {},
): Promise<void> {
  await reach(target, options);
  await target.page().keyboard.press(key);
}

/** Until the focus is there by itself: where a dialog closes, a row goes, a page opens. */
export async function focused(target: Locator): Promise<void> {
  await withFocus(target).waitFor();
}

/** A thing of any page by the command palette: what is typed, then Enter on the first that is found. */
export async function find(page: Page, text: string, option: RegExp | string = text): Promise<void> {
  await page.keyboard.press('Control+k');
  await focused(page.getByRole('combobox'));
  await page.keyboard.type(text);
  await page.getByRole('option', { name: option, selected: true }).waitFor();
  await page.keyboard.press('Enter');
}

/** Past the menu to what the page is about: the first stop of a page that was just loaded. */
export async function skip(page: Page): Promise<void> {
  await press(page.locator('a[href="#main"]'), 'Enter', { most: 1 });
  await focused(page.getByRole('main'));
}

/** From stop to stop through all of a page and out at its end: no stop is hidden, and none keeps the focus. */
export async function walk(page: Page): Promise<void> {
  await skip(page);
  const way: string[] = [];
  while (way.at(-1) !== TOP) {
    if (way.length === LONGEST_WALK) throw new Error(`Tab does not come to the end of the page: ${way.join(', ')}`);
    way.push(await step(page, way));
  }
}
