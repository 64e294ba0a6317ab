/**
 * The state of everything, made once for all who watch: soon after a change, and once a second while only numbers of sessions change. A watcher that is slow
 * skips states: it takes the newest, or all that changed since, when it can.
 */
import type { ApiContext } from './context.ts';
import { createLatch } from './latch.ts';
import { observedBy } from './observed.ts';
import { createLiveParts } from './live-parts.ts';
import type { EventSink } from './sse.ts';
import type { LiveState } from './types.ts';
import { instanceViews, serviceViews } from './views.ts';

/** Four a second is as much as a person can read; of numbers that never stand still, one. */
const GAP_MS = { pressing: 250, counts: 1_000 };

export interface LiveFeed {
  /** Sends the state at once and after changes, until the sink's end; with `changes` only what changed after the first. */
  follow(sink: EventSink, options: { readonly changes: boolean }): Promise<void>;
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
  readonly state: () => LiveState;
  /** Told after every change, and whether it is pressing. */
  readonly subscribe: (listener: (pressing: boolean) => void) => () => void;
  readonly now: () => number;
}

export function createLiveFeed({ state, subscribe, now }: LiveSource): LiveFeed {
  const watchers = new Set<() => void>();
  const parts = createLiveParts();
  /** The parts are out of date; made anew when somebody asks. */
  let outdated = true;
  let due: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  let madeAt = 0;
  let unsubscribe: (() => void) | undefined;
  /** The text that most watchers want: what changed since the state before. */
  let last: { readonly since: number; readonly round: number; readonly text: string | undefined } | undefined;

  function changed(pressing: boolean): void {
    // The first change after a quiet time is told at once, the rest of a burst at the end of the gap.
    const gap = pressing ? GAP_MS.pressing : GAP_MS.counts;
    const wait = Math.min(Math.max(madeAt + gap - now(), 0), gap);
    const at = now() + wait;
    if (due !== undefined && due.at <= at) return;
    clearTimeout(due?.timer);
    const timer = setTimeout(() => {
      due = undefined;
      outdated = true;
      for (const wake of watchers) wake();
    }, wait);
    due = { at, timer };
  }

  function renew(): void {
    if (!outdated) return;
    outdated = false;
    madeAt = now();
    parts.take(state());
  }

  function changesSince(since: number): string | undefined {
    if (last?.since !== since || last.round !== parts.round)
      last = { since, round: parts.round, text: parts.since(since) };
    return last.text;
  }

  return {
    async follow(sink, { changes }) {
      const latch = createLatch();
      watchers.add(latch.wake);
      const stop = (unsubscribe ??= subscribe(changed));
      sink.signal.addEventListener('abort', latch.wake, { once: true });
      try {
        let seen = 0;
        while (!sink.signal.aborted) {
          renew();
          const since = seen;
          seen = parts.round;
          if (!changes || since === 0) await sink.sendText('state', parts.whole());
          else if (parts.changedAt > since) {
            const text = changesSince(since);
            await sink.sendText(text === undefined ? 'state' : 'changes', text ?? parts.whole());
          }
          await latch.wait();
        }
      } finally {
        watchers.delete(latch.wake);
        if (watchers.size === 0) {
          stop();
          unsubscribe = undefined;
          clearTimeout(due?.timer);
          due = undefined;
          // Nobody is told of changes now, so it would grow old.
          outdated = true;
        }
      }
    },
  };
}
