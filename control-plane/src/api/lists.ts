/**
 * What every list of resources understands, in one place: pages, label selectors, choice of fields, and a watch of the same shape:
 * `item` for each that is there or has changed, `synced` once all were told, `gone` for what is no longer in the list.
 */
import { z } from 'zod';
import { SwitchboardError } from '../model/errors.ts';
import { streamOf, wantsStream, type Call } from './endpoint.ts';
import { fieldsOf, pickFields } from './fields.ts';
import { createLatch } from './latch.ts';
import { sendEvents, type EventSink } from './sse.ts';

const NAME = /^[\w.\-/]+$/;
/** After a change, further ones are waited for so long: a burst is told once. */
const GAP_MS = 250;

/** `item`: the schema of what is listed. */
export const listQuery = (item: z.ZodType) =>
  z.strictObject({
    limit: z.coerce.number().int().min(1).max(1000).optional().describe('At most this many (1000).'),
    cursor: z.string().max(256).optional().describe('Go on after this item: the `next` of the page before.'),
    after: z.string().max(256).optional().describe('The same as cursor.'),
    labels: z
      .string()
      .max(1000)
      .optional()
      .describe(
        'Only those whose labels (of instances: tags) fit: key=value, key!=value, key or !key, with commas between.',
      ),
    fields: fieldsOf(item),
    watch: z
      .enum(['true', 'false'])
      .optional()
      .describe('As Accept: text/event-stream: what there is, then each change.'),
  });
type ListQuery = z.infer<ReturnType<typeof listQuery>>;

export interface List<T> {
  /** Sorted by key, by code unit. */
  readonly items: () => readonly T[];
  readonly keyOf: (item: T) => string;
  readonly labelsOf?: (item: T) => Readonly<Record<string, string>>;
  /** More about the list as a whole. */
  readonly about?: () => object;
}

function invalid(path: string, message: string): SwitchboardError {
  return new SwitchboardError('invalid', `${path}: ${message}`, { issues: [{ path, message }] });
}

/** Error: `invalid` for a selector that can not be read. */
export function selector(text: string | undefined): (labels: Readonly<Record<string, string>>) => boolean {
  const tests = (text === undefined || text === '' ? [] : text.split(',')).map((part) => {
    const [, not = '', name = '', operator, value = ''] = /^(!?)([^=!]+)(!?=)?(.*)$/.exec(part.trim()) ?? [];
    if (!NAME.test(name) || (not !== '' && operator !== undefined))
      throw invalid('query.labels', `cannot read ${part}: use key=value, key!=value, key or !key`);
    return (labels: Readonly<Record<string, string>>): boolean => {
      if (operator === undefined) return (labels[name] === undefined) === (not !== '');
      return (labels[name] === value) === (operator === '=');
    };
  });
  return (labels) => tests.every((test) => test(labels));
}

async function follow(call: Call, sink: EventSink, chosen: () => Map<string, string>): Promise<void> {
  const latch = createLatch();
  const unsubscribe = call.api.subscribe(latch.wake);
  sink.signal.addEventListener('abort', latch.wake, { once: true });
  try {
    let told = new Map<string, string>();
    for (let first = true; !sink.signal.aborted; first = false) {
      const present = chosen();
      for (const [key, text] of present) if (told.get(key) !== text) await sink.sendText('item', text, key);
      for (const key of told.keys()) if (!present.has(key)) await sink.send('gone', { key }, key);
      told = present;
      if (first) await sink.send('synced', { count: present.size });
      await latch.wait();
      await new Promise((resolve) => setTimeout(resolve, GAP_MS));
    }
  } finally {
    unsubscribe();
  }
}

export function answerList<T extends object>(call: Call, list: List<T>): Response | object {
  const query = call.query as ListQuery;
  const { limit = 1000, fields } = query;
  const cursor = query.cursor ?? query.after;
  const fits = selector(query.labels);
  const chosen = (): T[] => list.items().filter((item) => fits(list.labelsOf?.(item) ?? {}));
  if (wantsStream(call) || query.watch === 'true')
    return sendEvents(streamOf(call), async (sink) =>
      follow(
        call,
        sink,
        () => new Map(chosen().map((item) => [list.keyOf(item), JSON.stringify(pickFields(item, fields))])),
      ),
    );
  const all = chosen();
  const rest = cursor === undefined ? all : all.filter((item) => list.keyOf(item) > cursor);
  const taken = rest.slice(0, limit);
  const last = taken.at(-1);
  return {
    items: taken.map((item) => pickFields(item, fields)),
    total: all.length,
    ...(last !== undefined && rest.length > limit ? { next: list.keyOf(last) } : {}),
    ...list.about?.(),
  };
}
