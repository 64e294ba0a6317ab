/** What is asked of the issuer, and how it is asked: JSON to a short-lived process of its own (see issue-main.ts). */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import type { KeyPair } from '../model/gateway-files.ts';

export interface IssueRequest {
  /** Common name, for people. */
  readonly name: string;
  /** URI in the subject's alternative names; absent: an authority. */
  readonly uri?: string;
  readonly use: 'authority' | 'server' | 'client';
  /** PEM (SPKI) of a key that was made elsewhere: there is none in the answer. */
  readonly publicKey?: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Who signs; `first`: what the first request of the same call makes; absent: it signs itself. */
  readonly issuer?: KeyPair | 'first';
}

const ISSUER = fileURLToPath(new URL('issue-main.ts', import.meta.url));
const LONGEST_MS = 30_000;

/** The pairs, in the order of the requests. Error: `unavailable` when the issuer fails. */
export async function issue(requests: readonly IssueRequest[]): Promise<KeyPair[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [ISSUER],
      // No environment: it needs none, and has keys in its memory.
      { env: {}, timeout: LONGEST_MS, windowsHide: true },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(JSON.parse(stdout) as KeyPair[]);
          return;
        }
        const reason = stderr.trim().split('\n').at(-1) ?? '';
        reject(
          new SwitchboardError('unavailable', `cannot issue certificates: ${reason || messageOf(error)}`, {
            cause: error,
          }),
        );
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(JSON.stringify(requests));
  });
}
