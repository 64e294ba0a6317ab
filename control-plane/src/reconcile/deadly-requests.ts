/**
 * Requests that several instances of a service ended with. Envoy tells of a request which instance had it last and how many had it, not which ones
 * and not why a connection broke: those that ended by themselves while it was under way are taken for the others. One that is sent again and
 * again is one story, told once a minute.
 */
import { addressText } from '../model/address.ts';
import type { NewEvent } from '../model/event.ts';
import type { Instance } from '../model/instance.ts';
import type { BrokenRequest } from '../telemetry/broken.ts';

/** Until the end of an instance has been seen and written. */
const LOOK_AFTER_MS = 1_500;
/** Records come in batches, so the time of a request is known this well. */
const SLACK_MS = 500;
const TELL_EVERY_MS = 60_000;
/** Who sends requests at random makes no more stories than this. */
const MOST_STORIES = 1_000;

export interface DeadlyRequestParts {
  readonly instances: () => Iterable<Instance>;
  readonly note: (event: NewEvent) => void;
  readonly now: () => number;
}

export interface DeadlyRequests {
  readonly broke: (request: BrokenRequest) => void;
  readonly close: () => void;
}

interface Story {
  requests: number;
  readonly instances: Set<string>;
  toldAt: number;
  timer?: NodeJS.Timeout;
}

export function createDeadlyRequests({ instances, note, now }: DeadlyRequestParts): DeadlyRequests {
  const stories = new Map<string, Story>();
  const timers = new Set<NodeJS.Timeout>();

  function after(ms: number, then: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      timers.delete(timer);
      then();
    }, ms);
    timer.unref();
    timers.add(timer);
    return timer;
  }

  function tell(service: string, request: string, story: Story): void {
    const several = story.requests === 1 ? 'once' : `${story.requests} times`;
    note({
      action: 'service.deadly-request',
      subject: { kind: 'Service', name: service },
      message: `${request} was sent ${several}, and ${story.instances.size} instances ended while they had it: ${[...story.instances].sort().join(', ')}`,
    });
    story.toldAt = now();
    story.requests = 0;
    story.instances.clear();
  }

  function look(request: BrokenRequest, until: number): void {
    const ended = [...instances()].filter(({ lastExit }) => {
      const at = Date.parse(lastExit?.at ?? '');
      return at >= until - request.durationMs - SLACK_MS && at <= until + SLACK_MS;
    });
    const last = ended.find(
      ({ lastExit }) => lastExit?.address !== undefined && addressText(lastExit.address) === request.upstream,
    );
    if (last === undefined) return;
    const others = ended
      .filter(({ id, service }) => id !== last.id && service === last.service)
      .slice(0, request.attempts - 1);
    const name = `${request.method} ${request.path}`;
    const key = `${last.service} ${name}`;
    const story = stories.get(key) ?? { requests: 0, instances: new Set(), toldAt: -Infinity };
    // The newest is last.
    stories.delete(key);
    stories.set(key, story);
    if (stories.size > MOST_STORIES) for (const [oldest] of [...stories].slice(0, 1)) stories.delete(oldest);
    story.requests += 1;
    for (const { id } of [last, ...others]) story.instances.add(id);
    if (story.timer !== undefined) return;
    const wait = story.toldAt + TELL_EVERY_MS - now();
    const maybe = (): void => {
      delete story.timer;
      if (story.instances.size > 1) tell(last.service, name, story);
    };
    if (wait <= 0) maybe();
    else story.timer = after(wait, maybe);
  }

  return {
    broke(request) {
      const until = now();
      after(LOOK_AFTER_MS, () => {
        look(request, until);
      });
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
