/** Conditions and targets of a route as one line each. Written against the shape, not the list of kinds: a new kind of condition shows by itself. Pure. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function condition(value: unknown): string {
  if (!isObject(value)) return plain(value);
  const { name, ...rest } = value;
  const [first] = Object.entries(rest).filter(([key]) => key !== 'caseSensitive');
  const what =
    first === undefined ? '' : first[0] === 'equals' ? `= ${plain(first[1])}` : `${first[0]} ${plain(first[1])}`;
  return `${typeof name === 'string' ? `${name} ` : ''}${what}`;
}

/** `host api.example.com`, `path prefix /chat`; none: every request. */
export function conditionsOf(match: object): string[] {
  return Object.entries(match).flatMap(([key, value]: [string, unknown]) => {
    if (value === undefined) return [];
    if (Array.isArray(value))
      return value.map(
        (one) => `${key === 'headers' ? 'header' : key === 'cookies' ? 'cookie' : key} ${condition(one)}`,
      );
    return [`${key} ${condition(value)}`];
  });
}

export interface TargetPart {
  readonly service: string | undefined;
  readonly text: string;
}

export function targetOf(target: object): TargetPart[] {
  const { service, tags, split } = target as {
    service?: string;
    tags?: Record<string, string>;
    split?: { service: string; weight: number }[];
  };
  if (split !== undefined) return split.map((one) => ({ service: one.service, text: `× ${one.weight}` }));
  const text =
    tags === undefined
      ? ''
      : Object.entries(tags)
          .map(([key, value]) => `${key}=${value}`)
          .join(' ');
  return [{ service, text }];
}
