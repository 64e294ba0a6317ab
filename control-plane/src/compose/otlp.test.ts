import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../config.ts';
import { headersOf } from './otlp.ts';

const folder = mkdtempSync(join(tmpdir(), 'sb-otlp-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const SECRET = 'Bearer very-secret-0123456789';
writeFileSync(join(folder, 'token'), `${SECRET}\n`);

function load(otlp: string): ReturnType<typeof loadConfig> {
  const file = join(folder, 'switchboard.yaml');
  writeFileSync(file, `telemetry: { otlp: ${otlp} }\n`);
  return loadConfig({ SWITCHBOARD_SETTINGS: file, OTLP_KEY: SECRET }, folder);
}

describe('telemetry.otlp', () => {
  it('takes headers from where they lie', () => {
    const config = load(
      `{ endpoint: 'https://collector/otlp', headers: { x-api-key: { fromEnv: OTLP_KEY }, authorization: { fromFile: token } } }`,
    );
    expect(config.telemetry.otlp?.interval).toBe('60s');
    expect(headersOf(config.telemetry.otlp?.headers ?? {}, config)).toEqual({
      'x-api-key': SECRET,
      authorization: SECRET,
    });
  });

  it.each([
    [`{ endpoint: collector }`, /telemetry\.otlp\.endpoint: must be an http or https address/],
    [
      `{ endpoint: 'http://ann:${'x'.repeat(9)}@collector' }`,
      /telemetry\.otlp\.endpoint: must have no user or password/,
    ],
    [`{ endpoint: 'http://c', interval: 100ms }`, /telemetry\.otlp\.interval: must be at least 1s/],
    [
      `{ endpoint: 'http://c', headers: { Authorization: '${SECRET}' } }`,
      /telemetry\.otlp\.headers\.Authorization: is given by reference/,
    ],
    [
      `{ endpoint: 'http://c', headers: { 'a b': { fromEnv: A } } }`,
      /telemetry\.otlp\.headers\.a b: is no name of a header/,
    ],
    [`{ endpoint: 'http://c', headers: { key: { fromEnv: A, fromFile: b } } }`, /headers\.key: is given by reference/],
    [`{ endpoint: 'http://c', headers: { key: { from: A } } }`, /headers\.key: is given by reference/],
    [`{ interval: 10s }`, /telemetry\.otlp\.endpoint/],
  ])('refuses %s', (otlp, message) => {
    let told = '';
    try {
      load(otlp);
    } catch (error) {
      told = String(error);
    }
    expect(told).toMatch(message);
    expect(told).not.toContain('secret-0123');
    expect(told).not.toContain('xxxxxxxxx');
  });

  it('names the header whose reference cannot be read, and shows no secret', () => {
    const config = load(`{ endpoint: 'http://c' }`);
    const bad =
      (headers: Parameters<typeof headersOf>[0]): (() => unknown) =>
      () =>
        headersOf(headers, config);
    expect(bad({ 'x-key': { fromEnv: 'NO_SUCH' } })).toThrow(
      /headers\.x-key: there is no environment variable NO_SUCH/,
    );
    expect(bad({ 'x-key': { fromFile: 'none' } })).toThrow(/headers\.x-key: cannot read the file none \(ENOENT\)/);
    writeFileSync(join(folder, 'lines'), `${SECRET}\nmore`);
    expect(bad({ 'x-key': { fromFile: 'lines' } })).toThrow(/^(?!.*very-secret).*is no value of a header/s);
  });
});
