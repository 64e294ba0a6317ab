/**
 * Envoy's API as a protobufjs root, read from the npm package that ships the .proto files; loaded once, when first needed
 * (about 0.4 s). Field names keep their snake case, as Envoy's own JSON and documentation have them.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/google/protobuf/descriptor.json' with { type: 'json' };
import { addNewer } from './newer.ts';
import { INCLUDE_FOLDERS, ROOTS } from './roots.ts';

let loaded: protobuf.Root | undefined;

function load(): protobuf.Root {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js-xds/package.json')), 'deps');
  protobuf.common('descriptor', descriptor.nested.google.nested.protobuf.nested);
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    if (protobuf.common.get(target) !== null) return target;
    for (const include of INCLUDE_FOLDERS) {
      const path = join(folder, include, target);
      if (existsSync(path)) return path;
    }
    return target;
  };
  root.loadSync([...ROOTS], { keepCase: true });
  root.resolveAll();
  addNewer(root);
  return root;
}

export function apiRoot(): protobuf.Root {
  loaded ??= load();
  return loaded;
}

const types = new Map<string, protobuf.Type>();

/** The message type of a full name such as `envoy.config.cluster.v3.Cluster`. Throws when there is none. */
export function messageType(name: string): protobuf.Type {
  let type = types.get(name);
  if (type === undefined) {
    type = apiRoot().lookupType(name);
    types.set(name, type);
  }
  return type;
}

const PREFIX = 'type.googleapis.com/';

export function typeUrl(name: string): string {
  return PREFIX + name;
}

/** The full name in a type URL, or undefined for another text. */
export function typeName(url: string): string | undefined {
  const slash = url.lastIndexOf('/');
  return slash < 0 ? undefined : url.slice(slash + 1);
}

/** The type an Any holds, or undefined when it is not among the loaded ones. */
export function typeOfAny(url: string): protobuf.Type | undefined {
  const name = typeName(url);
  if (name === undefined) return undefined;
  try {
    const type = messageType(name);
    // A look-up finds the end of a name too: only the whole name counts.
    return type.fullName === `.${name}` ? type : undefined;
  } catch {
    return undefined;
  }
}
