/**
 * Keeps the authority and every certificate that it has issued: made when missing or unusable, renewed at two thirds of their life or on demand.
 * Nothing here ends a stream: whoever listens is told of the new pair, for handshakes to come.
 */
import { X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto';
import type { Log } from '../log.ts';
import { SwitchboardError } from '../model/errors.ts';
import type { CertificateStatus } from '../model/gateway.ts';
import { authoritySecret, identitySecret, type KeyPair } from '../model/gateway-files.ts';
import { issue, type IssueRequest } from './authority.ts';
import { fromIdentitySecret, fromPem, readIfThere, replaceFile, tlsFiles, toPem } from './files.ts';
import { createIssuedList, type IssuedCertificate } from './issued.ts';
import { CONTROL_PLANE_URI, gatewayUri, type PeerIdentity } from './peer.ts';

const DAY_MS = 86_400_000;
const AUTHORITY_LIFE_MS = 3650 * DAY_MS;
/** Clocks of other machines may be a little behind. */
const BACKDATED_MS = 5 * 60_000;
const RENEW_AT = 2 / 3;
const RARELY_MS = 3_600_000;
const OFTEN_MS = 250;
/** It is part of a path. */
const NODE = /^[\w-][\w.-]{0,127}$/;

export interface Keeper {
  /** PEM of the authority's certificate. */
  authority(): string;
  controlPlane(): KeyPair;
  /** Of the control plane and of each gateway. */
  status(): CertificateStatus[];
  /** New certificates for the control plane and all gateways, or for one gateway alone. Error: `not_found`. */
  rotate(node?: string): Promise<void>;
  /** Of a gateway elsewhere, which keeps its key to itself; those before stay valid. Errors: `invalid`, `conflict`. */
  certify(node: string, publicKey: string): Promise<{ readonly pem: string; readonly status: CertificateStatus }>;
  /** Nothing that was issued to it up to now is taken any more; a gateway of our own gets another at once. Error: `not_found`. */
  revoke(node: string): Promise<void>;
  /** Why a peer's certificate is not taken though it is ours; undefined: it is. */
  whyRevoked(peer: PeerIdentity): string | undefined;
  /** Called with the node after each revocation. */
  onRevoked(listener: (node: string) => void): () => void;
  /** Called after the control plane's own pair has been replaced. */
  subscribe(listener: () => void): () => void;
  close(): void;
}

export interface KeeperOptions {
  readonly data: string;
  /** How long a certificate is valid. */
  readonly lifeMs: number;
  readonly gateways: readonly string[];
  readonly now: () => number;
  readonly log: Log;
}

interface Holder {
  readonly name: string;
  /** Absent: the control plane. */
  readonly node: string | undefined;
  readonly uri: string;
  read(): KeyPair | undefined;
  write(pair: KeyPair): void;
}

function parsed(pair: KeyPair | undefined): X509Certificate | undefined {
  try {
    if (pair === undefined) return undefined;
    const certificate = new X509Certificate(pair.certificate);
    return certificate.checkPrivateKey(createPrivateKey(pair.key)) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** As PEM, in one form. Error: `invalid`. */
function readPublicKey(text: string): string {
  const refuse = (message: string): never => {
    throw new SwitchboardError('invalid', `the public key ${message}`, { issues: [{ path: 'publicKey', message }] });
  };
  if (!text.includes('BEGIN PUBLIC KEY')) return refuse('must be PEM, a PUBLIC KEY');
  try {
    const key = createPublicKey(text);
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return refuse('must be an ECDSA key on P-256');
    return String(key.export({ type: 'spki', format: 'pem' }));
  } catch (error) {
    if (error instanceof SwitchboardError) throw error;
    return refuse('can not be read');
  }
}

/** Undefined: there is none yet. */
function readAuthority(file: string, now: number): KeyPair | undefined {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  const pair = fromPem(text);
  const certificate = parsed(pair);
  const remedy = 'Delete the file: a new authority and new certificates are made at the next start.';
  if (pair === undefined || certificate === undefined)
    throw new SwitchboardError('corrupt', `${file} does not hold the authority's key and certificate`, { remedy });
  if (certificate.validToDate.getTime() <= now)
    throw new SwitchboardError('corrupt', `the authority in ${file} has expired at ${certificate.validTo}`, { remedy });
  return pair;
}

export async function createKeeper({ data, lifeMs, gateways, now, log }: KeeperOptions): Promise<Keeper> {
  const files = tlsFiles(data);
  const issuedList = createIssuedList(files.issued);
  const listeners = new Set<() => void>();
  const onRevoked = new Set<(node: string) => void>();
  const pairs = new Map<Holder, { pair: KeyPair; certificate: X509Certificate }>();
  const holders: Holder[] = [
    {
      name: 'control-plane',
      node: undefined,
      uri: CONTROL_PLANE_URI,
      read: () => fromPem(readIfThere(files.controlPlane) ?? ''),
      write: (pair) => {
        replaceFile(files.controlPlane, toPem(pair));
      },
    },
    ...gateways.map((node): Holder => {
      if (!NODE.test(node)) throw new SwitchboardError('invalid', `${node} is no name for a gateway`);
      const own = files.gateway(node);
      return {
        name: node,
        node,
        uri: gatewayUri(node),
        read: () => fromIdentitySecret(readIfThere(own.identity) ?? ''),
        write: (pair) => {
          replaceFile(own.identity, identitySecret(pair));
        },
      };
    }),
  ];

  /** An authority and all that it signs, at once: starting the issuer is what takes time. */
  async function begin(): Promise<KeyPair> {
    const notBefore = now() - DAY_MS;
    const [made, ...signed] = await issue([
      { name: 'Switchboard authority', use: 'authority', notBefore, notAfter: now() + AUTHORITY_LIFE_MS },
      ...holders.map((holder) => requestFor(holder, now() + lifeMs, 'first')),
    ]);
    if (made === undefined) throw new Error('the issuer gave nothing');
    replaceFile(files.authority, toPem(made));
    for (const [index, holder] of holders.entries()) keep(holder, signed[index]);
    return made;
  }

  function requestFor(
    { name, uri, node }: Pick<Holder, 'name' | 'uri' | 'node'>,
    notAfter: number,
    by: KeyPair | 'first',
  ): IssueRequest {
    const use = node === undefined ? 'server' : 'client';
    return { name, uri, use, notBefore: now() - BACKDATED_MS, notAfter, issuer: by };
  }

  function keep(holder: Holder, pair: KeyPair | undefined): void {
    const certificate = parsed(pair);
    if (pair === undefined || certificate === undefined) throw new Error('the issuer gave too little');
    if (holder.node !== undefined) issuedList.renewed(holder.node, certificate.serialNumber);
    holder.write(pair);
    pairs.set(holder, { pair, certificate });
    log.info(
      { certificate: holder.name, serial: certificate.serialNumber, until: certificate.validToDate.toISOString() },
      'a certificate was issued',
    );
  }

  const authority = readAuthority(files.authority, now()) ?? (await begin());
  const issuer = new X509Certificate(authority.certificate);

  /** When it is to be replaced; 0: it can't be used. */
  function renewAt(certificate: X509Certificate, uri: string): number {
    const from = certificate.validFromDate.getTime();
    const to = certificate.validToDate.getTime();
    const usable =
      certificate.checkIssued(issuer) &&
      certificate.verify(issuer.publicKey) &&
      certificate.subjectAltName === `URI:${uri}` &&
      from <= now();
    return usable ? to - (1 - RENEW_AT) * Math.min(lifeMs, to - from) : 0;
  }

  function validityOf(certificate: X509Certificate, uri: string): IssuedCertificate {
    return {
      serial: certificate.serialNumber,
      notBefore: certificate.validFromDate.toISOString(),
      notAfter: certificate.validToDate.toISOString(),
      renewAt: new Date(renewAt(certificate, uri)).toISOString(),
    };
  }

  async function renew(due: readonly Holder[]): Promise<void> {
    if (due.length === 0) return;
    const notAfter = Math.min(now() + lifeMs, issuer.validToDate.getTime());
    const made = await issue(due.map((holder) => requestFor(holder, notAfter, authority)));
    for (const [index, holder] of due.entries()) keep(holder, made[index]);
    if (due.some(({ node }) => node === undefined)) for (const listener of listeners) listener();
  }

  const isDue = (holder: Holder): boolean => {
    const held = pairs.get(holder);
    return held === undefined || renewAt(held.certificate, holder.uri) <= now();
  };

  for (const holder of holders) {
    const pair = holder.read();
    const certificate = parsed(pair);
    if (!pairs.has(holder) && pair !== undefined && certificate !== undefined) pairs.set(holder, { pair, certificate });
  }
  for (const node of gateways) {
    const { authority: file } = files.gateway(node);
    const secret = authoritySecret(authority.certificate);
    if (readIfThere(file) !== secret) replaceFile(file, secret);
  }
  await renew(holders.filter(isDue));

  /** One at a time: a rotation on demand waits for one by time. */
  let renewing: Promise<void> = Promise.resolve();
  async function inTurn(task: () => Promise<void>): Promise<void> {
    const turn = renewing.then(task);
    renewing = turn.catch(() => undefined);
    return turn;
  }
  const every = Math.min(RARELY_MS, Math.max(OFTEN_MS, lifeMs / 60));
  const timer = setInterval(() => {
    inTurn(async () => renew(holders.filter(isDue))).catch((error: unknown) => {
      log.error({ error }, 'certificates can not be renewed; trying again');
    });
  }, every);
  timer.unref();

  const held = (holder: Holder | undefined): { pair: KeyPair; certificate: X509Certificate } => {
    const found = holder === undefined ? undefined : pairs.get(holder);
    if (found === undefined) throw new Error('there is no such certificate');
    return found;
  };
  return {
    authority: () => authority.certificate,
    controlPlane: () => held(holders[0]).pair,
    status: () => [
      ...holders.map((holder) => ({ name: holder.name, ...validityOf(held(holder).certificate, holder.uri) })),
      ...issuedList.list(),
    ],
    async certify(node, publicKey) {
      const own = readPublicKey(publicKey);
      if (!NODE.test(node) || node === 'control-plane')
        throw new SwitchboardError('invalid', `${node} is no name for a gateway`, {
          issues: [{ path: 'gateway', message: 'must be letters, digits, dots, hyphens and underscores, 128 at most' }],
        });
      if (holders.some((holder) => holder.node === node))
        throw new SwitchboardError(
          'conflict',
          `${node} is the gateway of this control plane, which keeps its certificate`,
          {
            remedy: `Choose another name; \`switchboard gateway rotate ${node}\` renews that one.`,
          },
        );
      const notAfter = Math.min(now() + lifeMs, issuer.validToDate.getTime());
      const uri = gatewayUri(node);
      const [made] = await issue([{ ...requestFor({ name: node, node, uri }, notAfter, authority), publicKey: own }]);
      if (made === undefined) throw new Error('the issuer gave nothing');
      const certificate = new X509Certificate(made.certificate);
      const status = validityOf(certificate, uri);
      issuedList.certified(node, status);
      log.info({ certificate: node, serial: status.serial, until: status.notAfter }, 'a certificate was issued');
      return { pem: made.certificate, status: { name: node, ...status } };
    },
    async revoke(node) {
      const own = holders.filter((holder) => holder.node === node);
      if (own.length === 0 && !issuedList.has(node))
        throw new SwitchboardError('not_found', `no certificate is issued to a gateway ${node}`);
      await inTurn(async () => {
        issuedList.revoke(node, now());
        log.warn({ gateway: node }, 'the certificates of a gateway were revoked');
        await renew(own);
      });
      for (const listener of onRevoked) listener(node);
    },
    whyRevoked: (peer) => issuedList.whyRevoked(peer),
    onRevoked(listener) {
      onRevoked.add(listener);
      return () => onRevoked.delete(listener);
    },
    async rotate(node) {
      const due = node === undefined ? holders : holders.filter((holder) => holder.node === node);
      if (due.length === 0)
        throw new SwitchboardError('not_found', `no certificate is issued to a gateway ${node ?? ''}`);
      await inTurn(async () => renew(due));
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      clearInterval(timer);
      listeners.clear();
      onRevoked.clear();
    },
  };
}
