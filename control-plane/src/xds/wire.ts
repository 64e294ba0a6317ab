/** Between the messages of envoy.service.discovery.v3 and the events of stream.ts, for each variant. */
import type { Send } from './stream.ts';
import type { XdsRequest } from './variant.ts';

export interface WireNode {
  readonly id: string;
  readonly cluster: string;
  readonly zone: string;
  readonly version: string;
}

export interface Wire {
  request(message: object): { node: WireNode | undefined; request: XdsRequest };
  response(send: Send): object;
}

interface NodeMessage {
  id: string;
  cluster: string;
  locality: { zone: string } | null;
  user_agent_build_version?: { version: { major_number: number; minor_number: number; patch: number } | null } | null;
}

interface RequestMessage {
  node: NodeMessage | null;
  type_url: string;
  response_nonce: string;
  error_detail: { message: string } | null;
}

interface SotwRequest extends RequestMessage {
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
    version:
      version === null || version === undefined
        ? ''
        : `${version.major_number}.${version.minor_number}.${version.patch}`,
  };
}

const errorOf = ({ error_detail: detail }: RequestMessage): string | undefined =>
  detail === null ? undefined : detail.message;

export const sotwWire: Wire = {
  request(message) {
    const read = message as SotwRequest;
    return {
      node: nodeOf(read),
      request: { type: read.type_url, nonce: read.response_nonce, error: errorOf(read), names: read.resource_names },
    };
  },
  response: ({ type, nonce, version, resources }) => ({
    version_info: version,
    type_url: type,
    nonce,
    resources: resources.map(({ body }) => ({ type_url: type, value: body })),
  }),
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
  response: ({ type, nonce, version, resources, removed }) => ({
    system_version_info: version,
    type_url: type,
    nonce,
    resources: resources.map((resource) => ({
      name: resource.name,
      version: resource.version,
      resource: { type_url: type, value: resource.body },
    })),
    removed_resources: removed,
  }),
};
