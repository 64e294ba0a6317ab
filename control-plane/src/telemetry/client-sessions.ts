/** Open sessions of each client address at each service. */
import { splitAddress } from '../model/address.ts';
import type { SessionTable } from './sessions.ts';

export interface ClientSessions {
  /** `address`: without a port. */
  open(service: string, address: string): number;
}

const addressOf = (client: string): string => splitAddress(client).host;

export function followClients(sessions: Pick<SessionTable, 'watch'>): ClientSessions {
  const counts = new Map<string, number>();
  sessions.watch(({ type, session: { service, client } }) => {
    const key = `${service} ${addressOf(client)}`;
    const next = (counts.get(key) ?? 0) + (type === 'opened' ? 1 : -1);
    if (next <= 0) counts.delete(key);
    else counts.set(key, next);
  });
  return { open: (service, address) => counts.get(`${service} ${address}`) ?? 0 };
}
