import { expect, it } from 'vitest';
import { REDACTED, redact } from './redact.ts';

it('takes out what is called a secret, wherever it stands, and nothing else', () => {
  expect(
    redact({
      name: 'tls',
      tls_certificate: {
        certificate_chain: { inline_string: 'public' },
        private_key: { inline_string: 'k', filename: '/a/path' },
        password: { inline_string: 'p' },
      },
      credentials: [{ key: 'abc', client: 'alice' }],
      users: { inline_string: 'alice:{SHA}x' },
      request_headers_to_add: [
        { header: { key: 'authorization', value: 'Bearer x' } },
        { header: { key: 'x-zone', value: 'a' } },
      ],
      match: { headers: [{ name: 'x-api-key', string_match: { exact: 'abc' } }] },
      token_bucket: { max_tokens: 3, fill_interval: '1s' },
      tls_certificate_sds_secret_configs: [{ name: 'identity' }],
      metadata: { filter_metadata: { example: { api_key: 'abc', plain: 'shown' } } },
    }),
  ).toEqual({
    name: 'tls',
    tls_certificate: {
      certificate_chain: { inline_string: 'public' },
      private_key: { inline_string: REDACTED, filename: '/a/path' },
      password: { inline_string: REDACTED },
    },
    credentials: [{ key: REDACTED, client: 'alice' }],
    users: { inline_string: REDACTED },
    request_headers_to_add: [
      { header: { key: 'authorization', value: REDACTED } },
      { header: { key: 'x-zone', value: 'a' } },
    ],
    match: { headers: [{ name: 'x-api-key', string_match: { exact: REDACTED } }] },
    token_bucket: { max_tokens: 3, fill_interval: '1s' },
    tls_certificate_sds_secret_configs: [{ name: 'identity' }],
    metadata: { filter_metadata: { example: { api_key: REDACTED, plain: 'shown' } } },
  });
});

it('takes literals out of scripts, and messages that it does not know', () => {
  const type = 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua';
  expect(
    redact({
      '@type': type,
      default_source_code: { inline_string: 'local t={["c2VjcmV0LXRva2VuLXg"]="a"} log("hi")' },
    }),
  ).toEqual({
    '@type': type,
    default_source_code: { inline_string: `local t={["${REDACTED}"]="a"} log("hi")` },
  });
  expect(redact({ '@type': 'type.googleapis.com/some.Unknown', value: 'c2VjcmV0' })).toEqual({
    '@type': 'type.googleapis.com/some.Unknown',
    value: REDACTED,
  });
});
