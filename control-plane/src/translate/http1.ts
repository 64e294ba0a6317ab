/** HTTP/1.1 that is passed on as it was sent, at the listener and at the clusters alike. */
import type { JsonObject } from '../routing/policy.ts';

/** Names as they were spelt, the words behind the status, trailers. */
export const HTTP1_AS_SENT: JsonObject = {
  header_key_format: {
    stateful_formatter: {
      name: 'as-sent',
      typed_config: {
        '@type':
          'type.googleapis.com/envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig',
        forward_reason_phrase: true,
      },
    },
  },
  enable_trailers: true,
};

const OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** For a cluster. */
export const TO_AGENTS: JsonObject = {
  typed_extension_protocol_options: {
    [OPTIONS]: {
      '@type': `type.googleapis.com/${OPTIONS}`,
      explicit_http_config: { http_protocol_options: HTTP1_AS_SENT },
      // Of connections kept for plain HTTP, not of sessions. Common servers close theirs after 5 s: a call that meets that is lost, since it may have been begun.
      common_http_protocol_options: { idle_timeout: '4s' },
    },
  },
};
