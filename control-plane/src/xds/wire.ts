/** Between the messages of envoy.service.discovery.v3 and the events of stream.ts, for each variant. */
import { nackText } from './nack-text.ts';
import type { Send } from './events.ts';
import { responseBytes, type Encoded } from './response-bytes.ts';
import type { XdsRequest } from './variant.ts';

export interface WireNode {
  readonly id: string;
  readonly cluster: string;
  readonly zone: string;
  readonly region: string;
  /** Such as `1.40.0`; empty: not told. */
  readonly version: string;
  /** The texts among its metadata, such as its gateway group. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Wire {
  request(message: object): { node: WireNode | undefined; request: XdsRequest };
  response(send: Send): Encoded;
}

interface NodeMessage {
  id: string;
  cluster: string;
  locality: { zone: string; region: string } | null;
  metadata: { fields: Record<string, { stringValue: string }> } | null;
  user_agent_build_version?: { version: { major_number: number; minor_number: number; patch: number } | null } | null;
}

interface RequestMessage {
  node: NodeMessage | null;
  type_url: string;
  response_nonce: string;
  error_detail: { message: string } | null;
}

interface SotwRequest extends RequestMessage {
  version_info: string;
  resource_names: string[];
}

interface DeltaRequest extends RequestMessage {
  resource_names_subscribe: string[];
  resource_names_unsubscribe: string[];
  initial_resource_versions: Record<string, string>;
}

/** Only the first message of a stream need carry the node. */
function nodeOf({ node }: RequestMessage): WireNode | undefined {
  if (node === null) return undefined;
  const version = node.user_agent_build_version?.version;
  return {
    id: node.id,
    cluster: node.cluster,
    zone: node.locality?.zone ?? '',
    region: node.locality?.region ?? '',
    metadata: Object.fromEntries(
      Object.entries(node.metadata?.fields ?? {}).flatMap(([name, value]) =>
        // Whatever it holds, the text is there as a default.
        Object.hasOwn(value, 'stringValue') ? [[name, value.stringValue]] : [],
      ),
    ),
    version:
      version === null || version === undefined
        ? ''
        : `${version.major_number}.${version.minor_number}.${version.patch}`,
  };
}

const errorOf = ({ error_detail: detail }: RequestMessage): string | undefined =>
  detail === null ? undefined : nackText(detail.message);

export const sotwWire: Wire = {
  request(message) {
    const read = message as SotwRequest;
    return {
      node: nodeOf(read),
      request: {
        type: read.type_url,
        nonce: read.response_nonce,
        error: errorOf(read),
        names: read.resource_names,
        version: read.version_info,
      },
    };
  },
  response: (send) => responseBytes('sotw', send),
};

export const deltaWire: Wire = {
  request(message) {
    const read = message as DeltaRequest;
    return {
      node: nodeOf(read),
      request: {
        type: read.type_url,
        nonce: read.response_nonce,
        error: errorOf(read),
        names: read.resource_names_subscribe,
        unsubscribe: read.resource_names_unsubscribe,
        initialVersions: read.initial_resource_versions,
      },
    };
  },
  response: (send) => responseBytes('delta', send),
};
