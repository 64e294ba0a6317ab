/**
 * Finding the bad resource in a refused response. Envoy may refuse all for the sake of one, and then has nothing of it: the names
 * are split and sent again part by part, until the bad one stands alone.
 */

const PART_OF_NAME = /[\w.-]/;

/** Whether `message` speaks of `name` as a whole word. */
export function mentions(message: string, name: string): boolean {
  if (name === '') return false;
  for (let at = message.indexOf(name); at >= 0; at = message.indexOf(name, at + 1)) {
    const [before, after] = [message[at - 1] ?? ' ', message[at + name.length] ?? ' '];
    // A name at the end of a sentence has a full stop behind it.
    const ends = !PART_OF_NAME.test(after) || (after === '.' && !/[\w-]/.test(message[at + name.length + 1] ?? ' '));
    if (!PART_OF_NAME.test(before) && ends) return true;
  }
  return false;
}

/** At least two names, in parts to be tried one after another: those that the message does not name first, else halves. */
export function split(names: readonly string[], message: string): readonly (readonly string[])[] {
  const named = names.filter((name) => mentions(message, name));
  if (named.length > 0 && named.length < names.length)
    return [
      names.filter((name) => !named.includes(name)),
      ...(named.length === 1 ? [named] : named.map((one) => [one])),
    ];
  const half = Math.ceil(names.length / 2);
  return [names.slice(0, half), names.slice(half)];
}
