/**
 * What of Envoy's text about a refusal can be kept. Some of its errors begin with the whole resource as debug text, secrets and all: of that only the
 * resource's name is kept, and the reason behind it.
 */

const LONGEST = 2_000;
/** From the marker of a debug text to the reason, which begins on a line of its own, or, in one line, behind the last brace. */
const DUMP = /goo\.gle\/debug\w*\s[^]*(?:\n: ?|[}"]\s*: (?=[A-Z]))/;
const UNKNOWN_DUMP = /goo\.gle\/debug\w*\s[^]*/;
const NAME = /(?:^|\s)(?:cluster_)?name: "([^"]*)"/;

export function nackText(text: string): string {
  const dump = DUMP.exec(text) ?? UNKNOWN_DUMP.exec(text);
  if (dump === null) return text.slice(0, LONGEST);
  const name = NAME.exec(dump[0])?.[1];
  const rest = text.slice(dump.index + dump[0].length);
  const reason = rest === '' ? 'Envoy gives no reason but the resource itself' : rest;
  const before = text.slice(0, dump.index).trimEnd();
  return `${before === '' ? '' : `${before} `}${name === undefined ? '' : `${name}: `}${reason}`
    .trim()
    .slice(0, LONGEST);
}
