import { expect, it } from 'vitest';
import { createLog } from './log.ts';
import { logText } from './log-text.ts';

const time = new Date(2026, 10, 30, 17, 5, 9).toISOString();
const text = (fields: object): string => logText(JSON.stringify({ level: 'info', time, pid: 7, ...fields }), false);

it('says when, what, and of which thing', () => {
  expect(text({ msg: 'instance is ready', service: 'weather', instance: 'weather-x2k9f' })).toBe(
    '17:05:09  instance is ready  service=weather instance=weather-x2k9f\n',
  );
  expect(text({ level: 'warn', msg: 'slow', seconds: 3, what: 'two words' })).toBe(
    '17:05:09  warn  slow  seconds=3 what="two words"\n',
  );
});

it('tells the reason of an error in its line', () => {
  let line = '';
  createLog('info', { write: (written: string) => void (line = written) }).error(
    { error: new Error('disk full') },
    'no',
  );
  expect(logText(line, false)).toMatch(/^\d\d:\d\d:\d\d {2}error {2}no: disk full\n$/);
});

it('keeps control characters of others away from the terminal, and what is no JSON as it is', () => {
  expect(text({ msg: 'x', name: 'a\u001b[31m\n' })).toBe('17:05:09  x  name="a\\u001b[31m\\n"\n');
  expect(text({ msg: 'x\u009b31m', name: '\u001b[31m' })).toBe('17:05:09  x\uFFFD31m  name="\\u001b[31m"\n');
  expect(logText('plain\n', false)).toBe('plain\n');
});
