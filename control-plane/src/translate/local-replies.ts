/**
 * What Envoy answers by itself, when no agent does: JSON that says why, and on 503 and 429 a Retry-After that differs from client to
 * client, so that those who were refused together do not come back together. Part of the frozen listener.
 */
import { ANSWER_HEADER, ASKED_ID_HEADER, REFUSED_HEADER, SENT_PATH } from './filters.ts';

/** Seconds of Retry-After, each as likely as the others. */
const RETRY_AFTER = [1, 2, 3, 4, 5, 6, 7, 8];

interface Reason {
  readonly code: string;
  readonly message: string;
  readonly when: object;
}

const flags = (...names: string[]): object => ({ response_flag_filter: { flags: names } });
const header = (name: string, value: string): object => ({
  header_filter: { header: { name, string_match: { exact: value } } },
});

const compared = (op: 'EQ' | 'LE', code: number, key: string): object => ({
  status_code_filter: { comparison: { op, value: { default_value: code, runtime_key: key } } },
});
const status = (code: number): object => compared('EQ', code, 'switchboard.status');

/** The first that fits counts. */
const REASONS: readonly Reason[] = [
  {
    code: 'session_gone',
    message: 'the instance that held this session is gone, and the service is set to take it nowhere else',
    when: header(REFUSED_HEADER, 'session-gone'),
  },
  { code: 'service_full', message: 'the service has all the sessions that it may have', when: flags('UO') },
  { code: 'no_instance', message: 'no instance of the service can take a new session now', when: flags('UH') },
  { code: 'no_service', message: 'the service is not there yet, or no more', when: flags('NC') },
  {
    code: 'instances_unreachable',
    message: 'the instances that were tried did not take the session',
    when: flags('UF', 'UC', 'UR', 'URX', 'LR'),
  },
  { code: 'too_many_new_sessions', message: 'too many new sessions at once', when: status(429) },
];

const fields = (code: string, message: string): object => ({
  json_format: {
    status: '%RESPONSE_CODE%',
    code,
    message,
    path: `%FILTER_STATE(${SENT_PATH}:PLAIN)%`,
    requestId: `%REQ(${ASKED_ID_HEADER}?X-REQUEST-ID)%`,
  },
  content_type: 'application/json',
});

/** One of several with equal chance: each takes its share of what those before it have left. */
function jittered(reason: Reason): object[] {
  return RETRY_AFTER.map((seconds, index) => ({
    filter: {
      and_filter: {
        filters: [
          reason.when,
          {
            runtime_filter: {
              runtime_key: `switchboard.retry_after.${seconds}`,
              percent_sampled: {
                numerator: Math.round(1_000_000 / (RETRY_AFTER.length - index)),
                denominator: 'MILLION',
              },
              use_independent_randomness: true,
            },
          },
        ],
      },
    },
    headers_to_add: [
      { header: { key: 'retry-after', value: String(seconds) }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
    ],
    body_format_override: fields(reason.code, reason.message),
  }));
}

export const LOCAL_REPLIES = {
  mappers: [
    // No refusal: a redirect, and what a route answers itself, keep their bodies; so do refusals of a service that has words of its own.
    ...[compared('LE', 399, 'switchboard.no_refusal'), header(ANSWER_HEADER, 'as-is')].map((filter) => ({
      filter,
      body_format_override: { text_format_source: { inline_string: '%LOCAL_REPLY_BODY%' } },
    })),
    // The control plane's own answer: it knows best why, and when to come back.
    {
      filter: flags('UAEX'),
      body_format_override: fields('not_admitted', '%LOCAL_REPLY_BODY%'),
    },
    // Slow is not unreachable. To come back is no advice: what it does may be going on.
    {
      filter: flags('UT'),
      body_format_override: fields('agent_timeout', 'the agent took the request and did not answer in time'),
    },
    // Only the routes' own answers: their names say why.
    { filter: status(404), body_format_override: fields('%ROUTE_NAME%', '%LOCAL_REPLY_BODY%') },
    ...REASONS.flatMap(jittered),
  ],
  body_format: fields('%RESPONSE_CODE_DETAILS%', '%LOCAL_REPLY_BODY%'),
};
