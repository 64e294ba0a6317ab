/**
 * Takes secrets out of what leaves this machine, wherever they stand: by the name of a field or header, by the look of a text, and by value where
 * the value is known. References (`fromEnv`, `fromFile`) say where a secret is and stay. Rather too much than too little. Pure.
 */
export const REDACTED = '[redacted]';

const SECRET_NAME =
  /(token|secret|password|passwd|passphrase|credential|api[-_]?key|private[-_]?key|authorization|cookie|^auth$|signature)s?$/i;
const SECRET_FLAG = /^--?[\w-]*(token|secret|password|passwd|key|credentials?)$/i;
/** Shorter ones stand everywhere by chance. */
const SHORTEST_KNOWN = 6;

const LOOKS: readonly (readonly [RegExp, string])[] = [
  // Also what is left of a block that was cut at its start.
  [/^(?:(?!-----BEGIN )[\s\S])*?-----END [A-Z0-9 ]+-----/, REDACTED],
  [/-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g, REDACTED],
  [
    /\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token)((?:\\?["'])?\s*[:=]\s*(?:\\?["'])?)[^"'\\\r\n]+/gi,
    `$1$2${REDACTED}`,
  ],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/g, `$1 ${REDACTED}`],
  [
    /([?&;](?:[\w.-]*(?:token|secret|password|passwd|api_?key|signature|credential)[\w.-]*|key|sig|auth|code|access_key)=)[^&;\s"'\\#]+/gi,
    `$1${REDACTED}`,
  ],
  [
    /([\w.-]*(?:token|secret|password|passwd|passphrase|api[-_]?key|private[-_]?key|credential)s?(?:\\?["'])?\s*[=:]\s*(?:\\?["'])?)(?!\[redacted\])[^\s"'\\,;&{}[\]]{4,}/gi,
    `$1${REDACTED}`,
  ],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s:@"'\\]+:[^/\s@"'\\]+@/gi, `$1${REDACTED}@`],
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, REDACTED],
  [/\b(?:sb_|sk-|pk-|rk-|xox[abprs]-|gh[pousr]_|github_pat_)[\w-]{16,}/g, REDACTED],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, REDACTED],
];

export type Scrub = (text: string) => string;

/** `known`: secrets whose values are at hand; each is taken out also as it stands in JSON and in a URL. */
export function createScrub(known: Iterable<string>): Scrub {
  const forms = new Set<string>();
  for (const value of known) {
    if (value.length < SHORTEST_KNOWN) continue;
    for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]) forms.add(form);
  }
  // The longest first: one may stand in another.
  const values = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const value of values) clean = clean.replaceAll(value, REDACTED);
    for (const [look, instead] of LOOKS) clean = clean.replace(look, instead);
    return clean;
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isReference(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 1 && ('fromEnv' in value || 'fromFile' in value);
}

/** All texts below; references and what is no text stay. */
function blank(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? '' : REDACTED;
  if (isReference(value)) return value;
  if (Array.isArray(value)) return value.map(blank);
  return isObject(value) ? mapped(value, blank) : value;
}

function mapped(value: Record<string, unknown>, change: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, change(inner)]));
}

/** JSON without what its names call a secret: values of `env`, secret fields, headers given as name and value, arguments after a secret flag. */
export function redactJson(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown, index) => {
      const before: unknown = value[index - 1];
      return typeof before === 'string' && SECRET_FLAG.test(before) ? blank(item) : redactJson(item);
    });
  if (!isObject(value)) return value;
  const header = value['key'] ?? value['name'];
  const isSecretHeader = typeof header === 'string' && SECRET_NAME.test(header);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (isSecretHeader && (name === 'value' || name === 'rawValue')) return [name, blank(inner)];
      return [name, name === 'env' || SECRET_NAME.test(name) ? blank(inner) : redactJson(inner)];
    }),
  );
}

export interface Reference {
  readonly fromEnv?: string;
  readonly fromFile?: string;
}

/** Secrets that a document holds in clear or refers to: what `createScrub` is to know. */
export function secretsIn(
  value: unknown,
  find: (reference: Reference) => string | undefined,
): { values: string[]; unresolved: Reference[] } {
  const values: string[] = [];
  const unresolved: Reference[] = [];
  const look = (inner: unknown): void => {
    if (Array.isArray(inner)) inner.forEach(look);
    else if (isReference(inner)) {
      const found = find(inner as Reference);
      if (found === undefined) unresolved.push(inner as Reference);
      else values.push(found);
    } else if (isObject(inner))
      for (const [name, below] of Object.entries(inner)) {
        if (typeof below === 'string' && SECRET_NAME.test(name)) values.push(below);
        else look(below);
      }
  };
  look(value);
  return { values, unresolved };
}
