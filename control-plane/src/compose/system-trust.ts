/** Where this machine keeps the authorities that it trusts, in one file that Envoy can read too. */
import { existsSync } from 'node:fs';

/** Debian, Fedora, openSUSE, RHEL, Alpine and macOS; as others look for it: https://go.dev/src/crypto/x509/root_linux.go */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** SSL_CERT_FILE wins, as with OpenSSL. Undefined: there is none. */
export function systemTrust(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return [environment['SSL_CERT_FILE'] ?? '', ...BUNDLES].find((file) => file !== '' && existsSync(file));
}
