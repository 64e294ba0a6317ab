/**
 * An Envoy that was found running and can't go on as it was started: for another host, by another version. It is replaced as `gateway restart` does, so that its
 * sessions go on where they are. Until that can be done it serves on with its last configuration.
 */
import type { EnvoySupervisor } from '@switchboard/envoy';
import type { Log } from '../log.ts';
import { messageOf } from '../model/errors.ts';
import type { NewEvent } from '../model/event.ts';
import { NODE_ID } from './settings.ts';

export interface GatewayRenewal {
  /** Why it gets no changes; undefined: it does. */
  whyStuck(): string | undefined;
  close(): void;
}

export interface GatewayRenewalParts {
  readonly envoy: EnvoySupervisor;
  readonly note: (event: NewEvent) => void;
  readonly log: Log;
}

const AGAIN_MS = 5_000;

/** Resolves when it is done, or can't be done yet. */
export async function renewGateway({ envoy, note, log }: GatewayRenewalParts): Promise<GatewayRenewal> {
  let stuck: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function attempt(why: string): Promise<string | undefined> {
    const refused = envoy.whyNotReplace();
    if (refused !== undefined) return refused.message;
    const { pid: from } = envoy.status();
    const counted = await envoy.openSessions();
    const endMs = envoy.sessionsEndWithinMs();
    if (endMs !== undefined && counted !== 0)
      return `it is of a version that ends its sessions by itself within ${endMs / 60_000} min of being replaced, and some are open. It is replaced when none is; or at once by \`switchboard gateway restart\`, which tells with --dry-run how many end`;
    const open = counted ?? 'unknown number of';
    try {
      await envoy.replace({ untilMs: undefined });
    } catch (error) {
      return messageOf(error);
    }
    const message = `process ${envoy.status().pid ?? '?'} has taken over from ${from ?? '?'}, whose ${open} open sessions go on there until they end: ${why}`;
    log.warn({ gateway: NODE_ID }, message);
    note({ action: 'gateway.restart', subject: { kind: 'Gateway', name: NODE_ID }, message });
    return undefined;
  }

  async function look(): Promise<void> {
    const why = envoy.whyOutdated();
    const refused = why === undefined ? undefined : await attempt(why);
    const before = stuck;
    stuck =
      refused === undefined
        ? undefined
        : `the running Envoy (process ${envoy.status().pid ?? 0}) serves on with its last configuration and gets no changes: ${why ?? ''}; it can't be replaced now: ${refused}. It is tried again; or put the settings back, or end it when its sessions may end (SIGTERM): a new one is started at once`;
    if (stuck === undefined) return;
    if (stuck !== before) {
      log.error({ gateway: NODE_ID, pid: envoy.status().pid }, stuck);
      note({ action: 'gateway.outdated', subject: { kind: 'Gateway', name: NODE_ID }, message: stuck });
    }
    timer = setTimeout(() => void look(), AGAIN_MS);
    timer.unref();
  }

  await look();
  return {
    whyStuck: () => (envoy.whyOutdated() === undefined ? undefined : stuck),
    close() {
      clearTimeout(timer);
    },
  };
}
