/**
 * Text that a program has written (an agent, Envoy, a client), made fit for the eyes: a terminal would obey the control sequences in it, as to move
 * the cursor, set its title, fill the clipboard. Whole sequences go, without a trace; a lone control character or a mark that turns the direction of
 * writing becomes U+FFFD, so that it can be seen that something was there.
 */

/** Strings for the terminal (OSC, DCS, SOS, PM, APC), up to their end or that of the text; then CSI with its parameters; other escapes; the rest. */
const STEERING = new RegExp(
  [
    '(?:\\u001b[\\]PX^_]|[\\u009d\\u0090\\u0098\\u009e\\u009f])[^\\u0007\\u001b\\u009c\\n]*(?:\\u0007|\\u001b\\\\|\\u009c)?',
    '(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]?',
    '\\u001b[ -/]*[0-~]?',
    '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]',
  ].join('|'),
  'g',
);
/** Colours and weights (the parameters of SGR), but not text that can't be seen (8), nor one that blinks (5, 6). */
const ONE_COLOUR =
  '[0-4]|7|9|2[1-9]|3[0-79]|4[0-79]|9[0-7]|10[0-7]|[34]8[;:]5[;:]\\d{1,3}|[34]8[;:]2(?:[;:]\\d{1,3}){3}';
const COLOUR = new RegExp(`^\\u001b\\[(?:(?:${ONE_COLOUR})(?:;(?:${ONE_COLOUR}))*)?m$`);
/** What ends all or one of them. */
// eslint-disable-next-line no-control-regex -- it is what is looked for
const ENDS = /^\u001b\[(?:0|2[1-9]|39|49|)m$/;
const RESET = '\u001b[0m';

/** Line feeds and tabs stay. `colours`: for a terminal that has them; a colour that is left open is ended with the text. */
export function shownText(text: string, { colours = false }: { colours?: boolean } = {}): string {
  let last = '';
  const shown = text.replace(STEERING, (found) => {
    if (found.length === 1 && found !== '\u001b') return '\uFFFD';
    if (!colours || !COLOUR.test(found)) return '';
    last = found;
    return found;
  });
  return last === '' || ENDS.test(last) ? shown : shown + RESET;
}

/**
 * What a terminal would show of a line at its end: a progress bar goes back to the start of its line (CR) and writes over it, so of its states only
 * the last counts.
 */
export function lastState(line: string): string {
  const whole = line.replace(/\r+$/, '');
  return whole.slice(whole.lastIndexOf('\r') + 1);
}
