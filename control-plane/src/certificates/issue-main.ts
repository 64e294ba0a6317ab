/**
 * Issues certificates: requests as JSON on standard input, pairs on standard output. Keys are ECDSA P-256. A process of its own, so that
 * the control plane never carries the library.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { text } from 'node:stream/consumers';
import * as x509 from '@peculiar/x509';
import type { KeyPair } from '../model/gateway-files.ts';
import type { IssueRequest } from './authority.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const USES = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth } as const;

x509.cryptoProvider.set(webcrypto);

function extensions(request: IssueRequest): x509.Extension[] {
  if (request.use === 'authority') {
    return [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ];
  }
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([USES[request.use]]),
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: request.uri ?? '' }]),
  ];
}

async function signer({ key, certificate }: KeyPair): Promise<{ key: webcrypto.CryptoKey; subject: string }> {
  const bytes = x509.PemConverter.decodeFirst(key);
  return {
    key: await webcrypto.subtle.importKey('pkcs8', bytes, ALGORITHM, false, ['sign']),
    subject: new x509.X509Certificate(certificate).subject,
  };
}

async function issueOne(request: IssueRequest, first: KeyPair | undefined): Promise<KeyPair> {
  const made =
    request.publicKey === undefined
      ? await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
      : undefined;
  const publicKey =
    made?.publicKey ??
    (await webcrypto.subtle.importKey('spki', x509.PemConverter.decodeFirst(request.publicKey ?? ''), ALGORITHM, true, [
      'verify',
    ]));
  const subject = `CN=${request.name}`;
  const issuer = request.issuer === 'first' ? first : request.issuer;
  const by = issuer === undefined ? { key: made?.privateKey, subject } : await signer(issuer);
  if (by.key === undefined) throw new Error('nobody signs it');
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: by.subject,
    notBefore: new Date(request.notBefore),
    notAfter: new Date(request.notAfter),
    publicKey,
    signingKey: by.key,
    signingAlgorithm: ALGORITHM,
    extensions: extensions(request),
  });
  const key =
    made === undefined
      ? ''
      : x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', made.privateKey), 'PRIVATE KEY');
  return { key, certificate: certificate.toString('pem') };
}

const requests = JSON.parse(await text(process.stdin)) as IssueRequest[];
const made: KeyPair[] = [];
for (const request of requests) made.push(await issueOne(request, made[0]));
process.stdout.write(JSON.stringify(made));
