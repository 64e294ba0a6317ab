/** The listener is frozen: its bytes, and what they say in words a person can compare. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode } from '@switchboard/proto';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { listener } from './listener.ts';

const MESSAGE = 'envoy.config.listener.v3.Listener';
const READABLE = join(import.meta.dirname, 'testdata/listener.yaml');
/** By hand, never by a tool: who changes it has decided what the message below asks for. */
const BYTES = 'dfa6dd80fc37bd434e6ffb74b306f45551a01675aa1bf21d0a54e5c44c99f99c';
const DECISION =
  'The bytes of the listener have changed. Envoy replaces a listener that differs, and lets the sessions on the old one go on only as long as its drain ' +
  'time lasts: a year where this program starts it, ten minutes by default where somebody else does, as for gateways elsewhere. So this is a decision: ' +
  'a slot that is there (filters.ts) may do instead. If not, the changelog has to say it, and that gateways elsewhere are to be started with ' +
  '--drain-time-s before the upgrade, or replaced (`switchboard gateway restart` for the own one). Then UPDATE_GOLDEN=1 writes testdata/listener.yaml, and ' +
  'BYTES is set by hand.';

it('the listener of an installation with default settings is the same, byte for byte', () => {
  const bytes = encode(
    MESSAGE,
    listener({
      gateway: { host: '127.0.0.1', port: 8800 },
      controlPlaneCluster: 'xds',
      sessionReportMs: 10_000,
      instanceToken: (instance) => instance,
      signals: () => undefined,
      policies: new Map(),
    }),
  );
  const text = stringify(decode(MESSAGE, bytes), { lineWidth: 0 });
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(READABLE, text);
  expect(text, DECISION).toBe(readFileSync(READABLE, 'utf8'));
  expect(createHash('sha256').update(bytes).digest('hex'), DECISION).toBe(BYTES);
});
