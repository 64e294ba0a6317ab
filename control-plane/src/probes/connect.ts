/** A connection to an agent, plain or by TLS, with the trust that the gateway has too. */
import { readFileSync, statSync } from 'node:fs';
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
} from 'node:tls';
import { addressText } from '../model/address.ts';
import type { ProbeTarget, TargetTls } from './probe.ts';
import type { Doing } from './timed.ts';

/** Beyond so many they are made anew: each holds the certificates that it trusts. */
const MOST_CONTEXTS = 64;
const contexts = new Map<string, SecureContext>();

function contextOf({ ca, caFile, insecure }: TargetTls): SecureContext {
  if (!insecure && ca === undefined && caFile === undefined)
    throw new Error('this machine has no list of authorities that it trusts: give gateway.tls.ca');
  const key = insecure ? '' : (ca ?? `${caFile ?? ''} ${statSync(caFile ?? '').mtimeMs}`);
  let context = contexts.get(key);
  if (context === undefined) {
    if (contexts.size >= MOST_CONTEXTS) contexts.clear();
    const trusted = insecure ? {} : { ca: ca ?? readFileSync(caFile ?? '') };
    // As Envoy does it: what is trusted need not be a root.
    context = createSecureContext({ ...trusted, minVersion: 'TLSv1.2', allowPartialTrustChain: true });
    contexts.set(key, context);
  }
  return context;
}

/** For tls.connect, https.request and ws. */
export function tlsOptions(tls: TargetTls): ConnectionOptions {
  const { serverName, insecure } = tls;
  return {
    secureContext: contextOf(tls),
    servername: serverName === undefined || isIP(serverName) !== 0 ? '' : serverName,
    rejectUnauthorized: !insecure,
    ALPNProtocols: ['http/1.1'],
    checkServerIdentity(_, certificate) {
      const names = certificate.subjectaltname;
      if (serverName !== undefined && names !== undefined && checkServerIdentity(serverName, certificate) === undefined)
        return undefined;
      // A common name alone is none: Envoy does not look at it.
      return new Error(
        `its certificate is for ${names ?? 'no name (it has no subject alternative names)'}, not for ${serverName ?? 'a name that is known'}`,
      );
    },
  };
}

/** `onReady`: bytes may be sent. */
export function connectTo(
  target: ProbeTarget,
  options: { signal?: AbortSignal; onread?: OnReadOpts },
  doing: Doing,
  onReady: () => void,
): Socket {
  const { host, port, tls } = target;
  if (tls === undefined) return connect({ host, port, ...options }, onReady);
  const socket = connectTls({ host, port, ...options, ...tlsOptions(tls) }, onReady);
  socket.once('connect', () => {
    doing('the TLS handshake', 'http');
  });
  return socket;
}

/** What is sent as Host. */
export const hostOf = (target: ProbeTarget): string => target.hostHeader ?? addressText(target);
