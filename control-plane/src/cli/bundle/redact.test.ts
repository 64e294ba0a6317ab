import { describe, expect, it } from 'vitest';
import { createScrub, redactJson, secretsIn } from './redact.ts';

const scrub = createScrub(['known-value', 'a/b "c"', 'short']);
const SECRET = 'hunter2-hunter2';

describe('texts', () => {
  it.each([
    `authorization: Bearer ${SECRET}`,
    `{"authorization":"Basic ${SECRET}"}`,
    `{\\"Authorization\\":\\"Token ${SECRET}\\"}`,
    `cookie: sid=1; other=${SECRET}`,
    `GET /agents/a?token=${SECRET}&x=1 HTTP/1.1`,
    `GET /agents/a?x=1&api_key=${SECRET}`,
    `ws://host/a?access_token=${SECRET}#f`,
    `ANTHROPIC_API_KEY=${SECRET}`,
    `{"password":"${SECRET}"}`,
    `"password\\":\\"${SECRET}\\"`,
    `client_secret: ${SECRET}`,
    `connect postgres://ann:${SECRET}@db/x`,
    `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\\n${SECRET}`,
    `${SECRET}\n-----END EC PRIVATE KEY-----\nrest`,
    `sent with --auth-token=${SECRET}`,
  ])('%s', (text) => {
    expect(scrub(text)).not.toContain(SECRET);
    expect(scrub(text)).toContain('[redacted]');
  });

  it.each(['sb_0123456789abcdefghij', 'sk-0123456789abcdefghij', 'eyJhbGciOi.eyJzdWIiOi.c2ln', 'AKIAABCDEFGHIJKLMNOP'])(
    'a token that looks like one: %s',
    (token) => {
      expect(scrub(`it sent ${token} today`)).toBe('it sent [redacted] today');
    },
  );

  it('known values in every form that they may have, but not what stands everywhere', () => {
    expect(scrub(`x known-value ${JSON.stringify('a/b "c"')} a%2Fb%20%22c%22`)).toBe(
      'x [redacted] "[redacted]" [redacted]',
    );
    expect(scrub('short text')).toBe('short text');
  });

  it('leave everything else alone', () => {
    for (const text of [
      '2026-01-01 service weather is ready, key=value pairs, tokens: 42',
      'switchboard_connects_total{service="token-service"} 5',
      '"env": { "API_TOKEN": { "fromEnv": "WEATHER_TOKEN" } }',
      'GET /agents/a?room=12&lang=en',
    ])
      expect(scrub(text)).toBe(text);
  });
});

describe('resources', () => {
  it('keep references and lose values', () => {
    const resource = {
      kind: 'Service',
      spec: {
        launch: {
          command: ['python', 'a.py', '--api-key', SECRET, '--port', '1'],
          env: { MODE: SECRET, API_TOKEN: { fromEnv: 'X' }, CERT: { fromFile: '/run/x' } },
        },
        hooks: { headers: [{ name: 'Authorization', value: SECRET }], password: { fromEnv: 'P' } },
      },
      lease: { token: 7 },
    };
    const clean = redactJson(resource);
    expect(JSON.stringify(clean)).not.toContain(SECRET);
    expect(clean).toMatchObject({
      spec: {
        launch: {
          command: ['python', 'a.py', '--api-key', '[redacted]', '--port', '1'],
          env: { MODE: '[redacted]', API_TOKEN: { fromEnv: 'X' }, CERT: { fromFile: '/run/x' } },
        },
        hooks: { password: { fromEnv: 'P' } },
      },
      lease: { token: 7 },
    });
  });

  it('tell which secrets they hold or refer to, and which of those can not be had', () => {
    const env = { API_TOKEN: 'clear', MODE: 'fast', A: { fromEnv: 'X' }, B: { fromFile: '/f' }, C: { fromEnv: 'Y' } };
    expect(
      secretsIn([{ env }], ({ fromEnv, fromFile }) =>
        fromFile === undefined ? { X: 'from env' }[fromEnv ?? ''] : 'from file',
      ),
    ).toEqual({ values: ['clear', 'from env', 'from file'], unresolved: [{ fromEnv: 'Y' }] });
  });
});
