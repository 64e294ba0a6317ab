/**
 * What lies on disk. A key and its certificate are one file, replaced whole by a rename after its bytes are on disk: there is no moment at which
 * a key stands beside another's certificate.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { KeyPair } from '../model/gateway-files.ts';

export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o700);
}

export function readIfThere(path: string): string | undefined {
  try {
    // A file that others can read, or a link planted in its place, is mended before it is trusted.
    if (lstatSync(path).isFile() && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function replaceFile(path: string, text: string): void {
  privateFolder(dirname(path));
  const draft = `${path}.new`;
  const file = openSync(draft, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}

export const toPem = ({ key, certificate }: KeyPair): string => `${key.trim()}\n${certificate.trim()}\n`;

/** Undefined: it does not hold both. */
export function fromPem(text: string): KeyPair | undefined {
  const block = (label: string): string | undefined =>
    new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text)?.[0];
  const key = block('PRIVATE KEY');
  const certificate = block('CERTIFICATE');
  return key === undefined || certificate === undefined ? undefined : { key, certificate };
}

/** The pair in an identity's SDS file; undefined: it does not hold one. */
export function fromIdentitySecret(text: string): KeyPair | undefined {
  try {
    const { resources } = JSON.parse(text) as {
      resources: {
        tls_certificate: { certificate_chain: { inline_string: string }; private_key: { inline_string: string } };
      }[];
    };
    const secret = resources[0]?.tls_certificate;
    return secret === undefined
      ? undefined
      : { key: secret.private_key.inline_string, certificate: secret.certificate_chain.inline_string };
  } catch {
    return undefined;
  }
}

export interface TlsFiles {
  readonly authority: string;
  readonly controlPlane: string;
  readonly issued: string;
  gateway(node: string): { readonly folder: string; readonly identity: string; readonly authority: string };
}

export function tlsFiles(data: string): TlsFiles {
  const folder = join(data, 'tls');
  return {
    authority: join(folder, 'authority.pem'),
    controlPlane: join(folder, 'control-plane.pem'),
    issued: join(folder, 'issued.json'),
    gateway(node) {
      const own = join(folder, 'gateways', node);
      return { folder: own, identity: join(own, 'identity.json'), authority: join(own, 'authority.json') };
    },
  };
}
