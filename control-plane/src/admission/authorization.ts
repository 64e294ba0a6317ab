/**
 * Envoy's question before it opens a session at a service that asks for it. The answer may take as long as the service lets its clients wait:
 * when this control plane ends, Envoy asks the next one.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/auth/v3/external_auth.proto
 */
import type { ServerUnaryCall, ServiceDefinition, UntypedHandleCall, sendUnaryData } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { grpcService } from '@switchboard/proto';
import { CLIENT_ADDRESS } from '../model/gateway.ts';
import type { Door } from './door.ts';

interface CheckRequest {
  readonly attributes: {
    readonly context_extensions: Readonly<Record<string, string>>;
    readonly request: {
      readonly time: { readonly seconds: number; readonly nanos: number } | null;
      readonly http: { readonly path: string; readonly headers: Readonly<Record<string, string>> } | null;
    } | null;
  } | null;
}

const UNAVAILABLE = { grpc: status.UNAVAILABLE, http: 503 };
const TOO_MANY = { grpc: status.RESOURCE_EXHAUSTED, http: 429 };
const LEAST_RETRY_S = 1;
const MOST_RETRY_S = 8;

/** Envoy puts the sentence into the same JSON as its own answers; Retry-After differs from client to client. */
function refusal(code: { grpc: status; http: number }, message: string, random: () => number): object {
  const retry = LEAST_RETRY_S + Math.floor(random() * (MOST_RETRY_S - LEAST_RETRY_S + 1));
  const header = (key: string, value: string): object => ({
    header: { key, value },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  });
  return {
    status: { code: code.grpc },
    denied_response: {
      status: { code: code.http },
      headers: [header('retry-after', String(retry))],
      body: message,
    },
  };
}

export function authorizationService(
  door: Pick<Door, 'enter'>,
  random: () => number,
): { definition: ServiceDefinition; handlers: Record<string, UntypedHandleCall> } {
  return {
    definition: grpcService('envoy.service.auth.v3.Authorization'),
    handlers: {
      Check: (call: ServerUnaryCall<CheckRequest, object>, done: sendUnaryData<object>) => {
        const left = new AbortController();
        call.on('cancelled', () => {
          left.abort();
        });
        const { context_extensions: context, request } = call.request.attributes ?? {};
        // The same over all that Envoy asks for one client.
        const id = request?.http?.headers['x-request-id'] ?? '';
        const { seconds = 0, nanos = 0 } = request?.time ?? {};
        const [address = ''] = call.metadata.get(CLIENT_ADDRESS).map(String);
        const caller = { id, cameAt: seconds * 1_000 + nanos / 1e6, address };
        void door.enter(context?.['service'] ?? '', caller, left.signal).then((answer) => {
          if (answer.kind === 'in') done(null, { status: { code: status.OK }, ok_response: {} });
          else if (answer.kind === 'refused') done(null, refusal(UNAVAILABLE, answer.message, random));
          else if (answer.kind === 'too-many') done(null, refusal(TOO_MANY, answer.message, random));
          else done({ code: status.CANCELLED, details: 'the client has left' });
        });
      },
    },
  };
}
