import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiUrl, changeContexts, contextNamed, contextsFile, readContexts, tokenInWords, tokenOf } from './contexts.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sb-contexts-'));
  file = contextsFile({ XDG_CONFIG_HOME: folder });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(text: string, mode = 0o600): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}

const set = (name: string, entry: object): void => {
  changeContexts(file, (document) => {
    document.setIn(['contexts', name], document.createNode(entry));
  });
};

describe('the file of contexts', () => {
  it('lies in the configuration folder of the user', () => {
    expect(contextsFile({ XDG_CONFIG_HOME: '/etc/me' })).toBe('/etc/me/switchboard/contexts.yaml');
    expect(contextsFile({ XDG_CONFIG_HOME: 'relative', HOME: '/home/ann' })).toBe(
      '/home/ann/.config/switchboard/contexts.yaml',
    );
  });

  it('is made for its owner alone, and keeps what people wrote into it', () => {
    expect(readContexts(file).all.size).toBe(0);
    set('prod', { url: 'https://a.example', token: 'secret' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
    write(`# mine\n${readFileSync(file, 'utf8')}`);
    set('dev', { url: 'http://b', token: { fromEnv: 'DEV' } });
    expect(readFileSync(file, 'utf8')).toMatch(/^# mine\n[^]*secret[^]*DEV/);
    expect([...readContexts(file).all.keys()]).toEqual(['prod', 'dev']);
  });

  it('may be a link, which stays one', () => {
    const real = join(folder, 'real.yaml');
    writeFileSync(real, '', { mode: 0o600 });
    mkdirSync(dirname(file));
    symlinkSync(real, file);
    set('prod', { url: 'https://a.example', token: 'x' });
    expect(readFileSync(real, 'utf8')).toContain('prod');
    expect(statSync(real).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['contexts: [', 'line 1'],
    ['contexts: { a: { url: x } }', 'contexts.a.url: must be a URL'],
    ['contexts: { a: { url: "http://a", token: { fromFile: f, more: 1 } } }', 'contexts.a.token.more: unknown field'],
    ['contexts: { A_B: { url: "http://a", token: x } }', 'contexts.A_B'],
    ['- 1', 'must be an object, not a list'],
    ['other: 1', 'other: unknown field'],
    ['contexts: { a: { url: "http://a", token: s3cr3t\n  : : }', 'is no YAML'],
  ])('that is damaged (%j) is told and left as it is', (text, why) => {
    write(text);
    const attempt = (): void => {
      set('new', { url: 'http://a', token: 'x' });
    };
    expect(attempt).toThrow(why);
    expect(attempt).not.toThrow('s3cr3t');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('that others can read is refused with what to do', () => {
    write('contexts: {}', 0o600);
    chmodSync(file, 0o640);
    expect(() => readContexts(file)).toThrow('its mode is 0640');
  });

  it('names a context that is not there with those that are', () => {
    set('prod', { url: 'https://a.example', token: 'x' });
    expect(() => contextNamed(file, readContexts(file), 'prdo')).toThrow(/no context prdo in .*: there is prod/);
  });
});

describe('a token', () => {
  const of = (token: string | { fromFile: string } | { fromEnv: string }) => ({ url: 'http://a', token });

  it('comes from where the context says, and is never in its description', () => {
    const named = join(folder, 'token');
    writeFileSync(named, 'from-file\n');
    expect(tokenOf('a', of({ fromFile: named }), {})).toBe('from-file');
    expect(tokenOf('a', of({ fromEnv: 'T' }), { T: 'from-env' })).toBe('from-env');
    expect(tokenOf('a', of('kept'), {})).toBe('kept');
    expect([of('kept'), of({ fromEnv: 'T' }), of({ fromFile: 'f' })].map(tokenInWords)).toEqual([
      'stored',
      'variable T',
      'file f',
    ]);
  });

  it('that is not there is told with its place', () => {
    expect(() => tokenOf('a', of({ fromEnv: 'T' }), {})).toThrow('the variable T, which is not set');
    expect(() => tokenOf('a', of({ fromFile: join(folder, 'no') }), {})).toThrow('no, which can not be read');
    writeFileSync(join(folder, 'empty'), '\n');
    expect(() => tokenOf('a', of({ fromFile: join(folder, 'empty') }), {})).toThrow('empty, which is empty');
  });
});

it('an address is one of an API and tells no secret', () => {
  expect(ApiUrl.safeParse('https://sb.example.org/base').success).toBe(true);
  for (const wrong of ['ftp://a', 'http://user:pw@a', 'http://a?token=1', 'a', 'http://'])
    expect(ApiUrl.safeParse(wrong).success, wrong).toBe(false);
});
