/** Between the messages of envoy.service.discovery.v3 and the events of stream.ts, for each variant. */
import { messageType } from '@switchboard/proto';
import { nackText } from './nack-text.ts';
import type { XdsResource } from './snapshot.ts';
import type { Send } from './events.ts';
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
  response(send: Send): object;
}

interface NodeMessage {
  id: string;
  cluster: string;
  locality: { zone: string; region: string } | null;
  metadata: { fields: Record<string, { stringValue?: string }> } | null;
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
      Object.entries(node.metadata?.fields ?? {}).flatMap(([name, { stringValue }]) =>
        typeof stringValue === 'string' ? [[name, stringValue]] : [],
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

const WRAPPER = 'type.googleapis.com/envoy.service.discovery.v3.Resource';

/** envoy.service.discovery.v3.Resource; a heartbeat has no body. */
function wrapped(type: string, { name, version, body, ttlMs }: XdsResource, heartbeat = false): object {
  return {
    name,
    version,
    ...(heartbeat ? {} : { resource: { type_url: type, value: body } }),
    ...(ttlMs === undefined ? {} : { ttl: { seconds: Math.floor(ttlMs / 1000), nanos: (ttlMs % 1000) * 1e6 } }),
  };
}

function encodeWrapper(message: object): Uint8Array {
  const type = messageType('envoy.service.discovery.v3.Resource');
  return type.encode(type.create(message)).finish();
}

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
  response: ({ type, nonce, version, resources, heartbeat }) => ({
    version_info: version,
    type_url: type,
    nonce,
    // A lifetime has a place only in the wrapper: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#xds-protocol-ttl
    resources: resources.map((resource) =>
      resource.ttlMs === undefined
        ? { type_url: type, value: resource.body }
        : { type_url: WRAPPER, value: encodeWrapper(wrapped(type, resource, heartbeat)) },
    ),
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
  response: ({ type, nonce, version, resources, removed, heartbeat }) => ({
    system_version_info: version,
    type_url: type,
    nonce,
    resources: resources.map((resource) => wrapped(type, resource, heartbeat)),
    removed_resources: removed,
  }),
};
