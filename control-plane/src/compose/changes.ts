/** Who looks again when something has changed: the reconcile loop, clients that wait for a place, and the console. */
import type { EnvoySupervisor } from '@switchboard/envoy';
import type { Loop } from '../reconcile/loop.ts';
import type { Registry } from '../registry/registry.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { XdsServer } from '../xds/server.ts';
import type { News } from './news.ts';

export interface Changing {
  readonly gateway: EnvoySupervisor;
  readonly xds: XdsServer;
  readonly registry: Registry;
  readonly sessions: SessionTable;
  readonly loop: Loop;
  readonly admission: { readonly look: () => void };
  readonly news: News;
}

export function tellChanges({ gateway, xds, registry, sessions, loop, admission, news }: Changing): void {
  const isDraining = (): boolean =>
    [...registry.view().instances.values()].some(({ value }) => value.drain !== undefined);
  gateway.watch(() => {
    loop.wake();
    news.tell();
  });
  xds.subscribe((event) => {
    // An ACK decides on nothing but the end of a drain.
    if (event.kind !== 'progress' || isDraining()) loop.wake();
    admission.look();
    news.tell();
  });
  registry.subscribe(news.tell);
  sessions.subscribe(() => {
    // Like an ACK.
    if (isDraining()) loop.wake();
    news.tellCounts();
  });
}
