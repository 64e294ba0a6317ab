/**
 * The keeper's certificates as a gRPC server's credentials. A peer without a certificate of ours completes the handshake and is then refused at
 * every call, so that it is told why and so that we can say who came; a call whose first message names another node than its certificate does too.
 */
import type { Http2Stream } from 'node:http2';
import {
  ServerInterceptingCall,
  ServerListenerBuilder,
  experimental,
  status,
  type ServerCredentials,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import type { Keeper } from './keeper.ts';
import { identityOf, refusalOf } from './peer.ts';
import type { Peers, Refused } from './peers.ts';

function provider(keeper: Keeper): experimental.CertificateProvider {
  const endings = new Map<unknown, () => void>();
  const identity = (): experimental.IdentityCertificateUpdate => {
    const { key, certificate } = keeper.controlPlane();
    return { certificate: Buffer.from(certificate), privateKey: Buffer.from(key) };
  };
  return {
    // Both are called from within the server's set-up, which looks at what it is told only in a later turn.
    addCaCertificateListener(listener) {
      queueMicrotask(() => {
        listener({ caCertificate: Buffer.from(keeper.authority()) });
      });
    },
    removeCaCertificateListener: () => undefined,
    addIdentityCertificateListener(listener) {
      const tell = (): void => {
        listener(identity());
      };
      queueMicrotask(tell);
      endings.set(listener, keeper.subscribe(tell));
    },
    removeIdentityCertificateListener(listener) {
      endings.get(listener)?.();
      endings.delete(listener);
    },
  };
}

/** Services tell their node in different places of their first message. */
function nodeIn(message: unknown): string | undefined {
  const { node, identifier } = message as {
    node?: { id?: string } | null;
    identifier?: { node?: { id?: string } | null } | null;
  };
  const id = node?.id ?? identifier?.node?.id;
  return id === '' ? undefined : id;
}

/**
 * A peer shows its certificate once a connection: it has to make another, or a new one would never be seen. grpc-js has no word for that, so the
 * call's own stream is asked.
 */
function hangUp(call: object): void {
  (call as { stream?: Http2Stream }).stream?.session?.close();
}

function guard(keeper: Keeper, peers: Peers): ServerInterceptor {
  /** Open calls by gateway: how each is ended. */
  const open = new Map<string, Set<() => void>>();
  keeper.onRevoked((node) => {
    for (const end of open.get(node) ?? []) end();
  });

  return (method, call) => {
    const peer = identityOf(call.getAuthContext().sslPeerCertificate);
    const refuse = (reason: Refused['reason'], message: string): void => {
      leave();
      peers.refused({ reason, message, method: method.path, peer: call.getPeer() });
      const code = reason === 'no-certificate' ? status.UNAUTHENTICATED : status.PERMISSION_DENIED;
      call.sendStatus({ code, details: message });
      if (reason === 'revoked') hangUp(call);
    };
    /** Again at a revocation: its new certificate may be taken already. */
    const end = (): void => {
      const why = peer === undefined ? undefined : keeper.whyRevoked(peer);
      if (why !== undefined) refuse('revoked', why);
    };
    const leave = (): void => {
      if (peer === undefined) return;
      const calls = open.get(peer.node);
      calls?.delete(end);
      if (calls?.size === 0) open.delete(peer.node);
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const revoked = peer === undefined ? undefined : keeper.whyRevoked(peer);
        if (peer === undefined) refuse('no-certificate', refusalOf('', undefined) ?? '');
        else if (revoked !== undefined) refuse('revoked', revoked);
        else {
          open.set(peer.node, (open.get(peer.node) ?? new Set()).add(end));
          next(metadata);
        }
      })
      .withOnReceiveMessage((message, next) => {
        const node = nodeIn(message);
        const refusal = node === undefined ? undefined : refusalOf(node, peer);
        if (refusal !== undefined) {
          refuse('wrong-node', refusal);
          return;
        }
        if (node !== undefined && peer !== undefined) peers.admitted(peer);
        next(message);
      })
      .withOnCancel(leave)
      .build();
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next(listener);
      },
      sendStatus(given, next) {
        leave();
        next(given);
      },
    });
  };
}

export function serverCredentials(keeper: Keeper, peers: Peers): ServerCredentials {
  const certificates = provider(keeper);
  return experimental.createServerCredentialsWithInterceptors(
    // It gives both kinds, so their order does not matter.
    experimental.createCertificateProviderServerCredentials(certificates, certificates, false),
    [guard(keeper, peers)],
  );
}
