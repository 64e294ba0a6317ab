/**
 * The state of everything as one JSON text, made once for all who watch, at most every `GAP_MS`. A watcher that is slow skips states: it
 * takes the newest when it can.
 */
import type { ApiContext } from './context.ts';
import { createLatch } from './latch.ts';
import { observedBy } from './listing.ts';
import type { EventSink } from './sse.ts';
import type { LiveState } from './types.ts';
import { instanceViews, serviceViews } from './views.ts';

/** Four a second is as much as a person can read. */
const GAP_MS = 250;

export interface LiveFeed {
  /** Sends the state at once and after changes, until the sink's end. */
  follow(sink: EventSink): Promise<void>;
}

export function liveState(api: ApiContext): LiveState {
  const view = api.registry.view();
  const observed = observedBy(api);
  return {
    revision: view.revision,
    status: api.system(),
    services: serviceViews(view, observed),
    instances: instanceViews(view, observed),
    gateways: api.gateways(),
  };
}

export interface LiveSource {
  readonly state: () => unknown;
  /** Told after every change. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly now: () => number;
}

export function createLiveFeed({ state, subscribe, now }: LiveSource): LiveFeed {
  const watchers = new Set<() => void>();
  /** Undefined: out of date, made when somebody asks. */
  let text: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let madeAt = 0;
  let unsubscribe: (() => void) | undefined;

  function changed(): void {
    if (timer !== undefined) return;
    // The first change after a quiet time is told at once, the rest of a burst at the end of the gap.
    const wait = Math.min(Math.max(madeAt + GAP_MS - now(), 0), GAP_MS);
    timer = setTimeout(() => {
      timer = undefined;
      text = undefined;
      for (const wake of watchers) wake();
    }, wait);
  }

  function newest(): string {
    if (text !== undefined) return text;
    madeAt = now();
    text = JSON.stringify(state());
    return text;
  }

  return {
    async follow(sink) {
      const latch = createLatch();
      watchers.add(latch.wake);
      const stop = (unsubscribe ??= subscribe(changed));
      sink.signal.addEventListener('abort', latch.wake, { once: true });
      try {
        while (!sink.signal.aborted) {
          await sink.sendText('state', newest());
          await latch.wait();
        }
      } finally {
        watchers.delete(latch.wake);
        if (watchers.size === 0) {
          stop();
          unsubscribe = undefined;
          clearTimeout(timer);
          timer = undefined;
          // Nobody is told of changes now, so it would grow old.
          text = undefined;
        }
      }
    },
  };
}
