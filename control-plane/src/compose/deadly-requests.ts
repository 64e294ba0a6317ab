/** What Envoy tells of requests that broke, to the events of their services. */
import type { Log } from '../log.ts';
import { createDeadlyRequests, type DeadlyRequests } from '../reconcile/deadly-requests.ts';
import type { Registry, RegistryView } from '../registry/registry.ts';
import type { Closers } from './closers.ts';

export interface Parts {
  readonly view: () => RegistryView;
  /** Asked for only once the view shows instances. */
  readonly note: Registry['note'];
  readonly now: () => number;
  readonly log: Log;
}

export function watchDeadlyRequests({ view, note, now, log }: Parts, closers: Closers): DeadlyRequests {
  const deadly = createDeadlyRequests({
    *instances() {
      for (const { value } of view().instances.values()) yield value;
    },
    note: (event) => {
      note(event, { actor: 'controller' }).catch((error: unknown) => {
        log.warn({ error }, 'an event could not be written');
      });
    },
    now,
  });
  closers.add(() => {
    deadly.close();
  });
  return deadly;
}
