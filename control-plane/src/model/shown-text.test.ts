import { expect, it } from 'vitest';
import { lastState, shownText } from './shown-text.ts';

const ESC = '\u001b';

it.each([
  ['moves of the cursor and clearing', `a${ESC}[2J${ESC}[1;1Hb${ESC}[3Ac`, 'abc'],
  ['a title, ended by BEL or ST', `a${ESC}]0;pwned\u0007b${ESC}]2;pwned${ESC}\\c`, 'abc'],
  ['the clipboard', `a${ESC}]52;c;cm0gLXJmIH4=\u0007b`, 'ab'],
  ['a link', `${ESC}]8;;http://evil.example\u0007text${ESC}]8;;\u0007`, 'text'],
  ['DCS, PM, APC and SOS', `a${ESC}P$qm${ESC}\\b${ESC}^x${ESC}\\c${ESC}_x${ESC}\\d${ESC}Xx${ESC}\\e`, 'abcde'],
  ['their forms of one character', 'a\u009b2Jb\u009d0;t\u009cc\u0090x\u009cd', 'abcd'],
  ['a string that is never ended, up to the end of the line', `a${ESC}]0;title\nnext`, 'a\nnext'],
  ['another screen, other letters, a reset', `a${ESC}[?1049hb${ESC}(0c${ESC}cd`, 'abcd'],
  ['half a sequence at the end', `a${ESC}[`, 'a'],
  ['a lone escape', `a${ESC}`, 'a'],
  ['bells, NUL, backspace, DEL', 'a\u0007b\u0000c\bd\u007f', 'a\uFFFDb\uFFFDc\uFFFDd\uFFFD'],
  ['marks that turn the direction', 'a\u202eb\u2066c', 'a\uFFFDb\uFFFDc'],
  ['tabs, line feeds, wide characters, joined ones', 'a\tb\n日本 👩‍💻', 'a\tb\n日本 👩‍💻'],
])('of %s nothing reaches the reader', (_name, text, shown) => {
  expect(shownText(text)).toBe(shown);
});

it('lets colours through to a terminal that has them, and ends what was left open', () => {
  const red = `${ESC}[31mred${ESC}[0m`;
  expect(shownText(red)).toBe('red');
  for (const fine of [red, `${ESC}[1;38;5;200mx${ESC}[m`, `${ESC}[38;2;1;2;3mx${ESC}[39m`, `${ESC}[2mx${ESC}[22m`])
    expect(shownText(fine, { colours: true })).toBe(fine);
  expect(shownText(`${ESC}[31mred`, { colours: true })).toBe(`${ESC}[31mred${ESC}[0m`);
  for (const hidden of ['8', '5', '1;8', '99', '?1', '38;5'])
    expect(shownText(`${ESC}[${hidden}mx`, { colours: true })).toBe('x');
  expect(shownText(`${ESC}[31m${ESC}[2Jx${ESC}[0m`, { colours: true })).toBe(`${ESC}[31mx${ESC}[0m`);
});

it('takes no longer for what is long', () => {
  const begin = performance.now();
  for (const part of [`${ESC}[`, `${ESC}]`, '1;', '\r', `${ESC}[1;`])
    shownText(part.repeat(500_000), { colours: true });
  shownText(`${ESC}[${'1;'.repeat(500_000)}m`, { colours: true });
  expect(performance.now() - begin).toBeLessThan(10_000);
});

it.each([
  ['10%\r50%\r100%', '100%'],
  ['10%\r50%\r', '50%'],
  ['done\r', 'done'],
  ['plain', 'plain'],
  ['\r\r', ''],
])('of %j a terminal shows the last state', (line, shown) => {
  expect(lastState(line)).toBe(shown);
});
