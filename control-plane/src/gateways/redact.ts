/**
 * Takes out of a resource what must not be shown, whoever sends it: keys, passwords, tokens. By name, since new filters bring new fields: what is
 * called a secret is one. Names of secrets, counters and token buckets are none. Pure.
 */
export const REDACTED = '[redacted]';

const SECRET =
  /(^|_)(password|passwd|passphrase|secret|secrets|token|private_key|private_key_provider|api_?key|credential|credentials|hmac|hmac_secret|session_ticket_keys|users)$/i;
const HEADER = /authorization|cookie|token|secret|api-?key|password/i;
const LUA = /\.lua\.v3\.Lua(PerRoute)?$/;
/** A literal in a script that looks like a token. */
const LITERAL = /(["'])[A-Za-z0-9+/_=-]{16,}\1/g;

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** All texts below, whatever they are called; identifiers beside them stay. */
function blank(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? '' : REDACTED;
  if (Array.isArray(value)) return value.map(blank);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === '@type' || name === 'client' || name === 'name' || name === 'filename' ? inner : blank(inner),
    ]),
  );
}

function script(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(LITERAL, (_, quote: string) => quote + REDACTED + quote);
  if (Array.isArray(value)) return value.map(script);
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === '@type' ? inner : script(inner)]))
    : value;
}

export function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact);
  if (!isObject(value)) return value;
  const type = value['@type'];
  if ([type, value['type_url']].some((one) => typeof one === 'string' && LUA.test(one))) return script(value);
  // A message that is not known here, as it was sent: it may hold anything.
  if (typeof type === 'string' && typeof value['value'] === 'string' && Object.keys(value).length === 2)
    return { '@type': type, value: value['value'] === '' ? '' : REDACTED };
  // A header with its value: {key, value} in Envoy's API, {name, ...} in matchers.
  const header = value['key'] ?? value['name'];
  const isSecretHeader = typeof header === 'string' && HEADER.test(header);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (isSecretHeader && (name === 'value' || name === 'raw_value' || name === 'string_match'))
        return [name, blank(inner)];
      return [name, SECRET.test(name) ? blank(inner) : redact(inner)];
    }),
  );
}
