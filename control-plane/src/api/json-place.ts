/**
 * Where a text stops being JSON (RFC 8259): V8 tells it in some of its messages only, and of a repeated member nothing. Tokens one by one, with a stack of what is open; no
 * recursion, so depth does not matter.
 */
const TOKEN =
  // eslint-disable-next-line no-control-regex -- JSON forbids these in strings
  /([{}[\],:])|("(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;
const SPACE = /[\t\n\r ]*/y;

/** What may come next; `member` is a key, and after a comma nothing else. */
type Next = 'value' | 'value or ]' | 'member' | 'member or }' | ':' | 'more or end' | 'nothing';

export interface Fault {
  /** Of the first character that cannot be; the length of the text if it ends too early. */
  readonly offset: number;
  /** The text is JSON, but at `offset` an object has this member a second time: which one counts differs from reader to reader. */
  readonly repeated?: string;
}

/** Undefined: each member stands once, and all of it is JSON. */
export function firstFault(text: string): Fault | undefined {
  const open: ('{' | '[')[] = [];
  /** Members of the objects that are open. */
  const members: Set<string>[] = [];
  let next: Next = 'value';
  let offset = 0;
  for (;;) {
    SPACE.lastIndex = offset;
    offset += SPACE.exec(text)?.[0].length ?? 0;
    if (offset >= text.length) return next === 'nothing' ? undefined : { offset: text.length };
    TOKEN.lastIndex = offset;
    const match = TOKEN.exec(text);
    const isMember = next === 'member' || next === 'member or }';
    const after: Next | undefined =
      match === null ? undefined : following(next, match[1] ?? (match[2] === undefined ? 'word' : 'string'));
    if (match === null || after === undefined) return { offset };
    if (isMember && match[2] !== undefined) {
      const name = JSON.parse(match[2]) as string;
      const known = members.at(-1);
      if (known?.has(name) === true) return { offset, repeated: name };
      known?.add(name);
    }
    offset += match[0].length;
    next = after;
  }

  function following(now: Next, token: string): Next | undefined {
    const closed = (): Next => {
      if (open.pop() === '{') members.pop();
      return open.length === 0 ? 'nothing' : 'more or end';
    };
    const top = open.at(-1);
    const done: Next = top === undefined ? 'nothing' : 'more or end';
    if (now === 'value' || now === 'value or ]') {
      if (token === '{' || token === '[') {
        open.push(token);
        if (token === '{') members.push(new Set());
        return token === '{' ? 'member or }' : 'value or ]';
      }
      if (token === 'string' || token === 'word') return done;
      return token === ']' && now === 'value or ]' ? closed() : undefined;
    }
    if (now === 'member' || now === 'member or }') {
      if (token === 'string') return ':';
      return token === '}' && now === 'member or }' ? closed() : undefined;
    }
    if (now === ':') return token === ':' ? 'value' : undefined;
    if (now === 'nothing') return undefined;
    if (token === ',') return top === '{' ? 'member' : 'value';
    return (token === '}' && top === '{') || (token === ']' && top === '[') ? closed() : undefined;
  }
}

/** `line 2, column 11`, both from 1. */
export function placeAt(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}
