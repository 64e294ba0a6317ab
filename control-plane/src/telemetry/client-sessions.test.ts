import { expect, it } from 'vitest';
import { followClients } from './client-sessions.ts';
import type { Session, SessionChange } from './session.ts';

const at = (type: 'opened' | 'ended', service: string, client: string): SessionChange =>
  ({ type, session: { service, client } as Session }) as SessionChange;

it('counts by address, whatever the port, each service for itself', () => {
  let tell: (change: SessionChange) => void = () => undefined;
  const clients = followClients({
    watch(listener) {
      tell = listener;
      return () => undefined;
    },
  });
  for (const port of [1, 2]) tell(at('opened', 'a', `10.0.0.1:${port}`));
  tell(at('opened', 'b', '10.0.0.1:3'));
  tell(at('opened', 'a', '::1:4'));
  expect([clients.open('a', '10.0.0.1'), clients.open('b', '10.0.0.1'), clients.open('a', '::1')]).toEqual([2, 1, 1]);
  tell(at('ended', 'a', '10.0.0.1:1'));
  tell(at('ended', 'a', '10.0.0.1:2'));
  expect(clients.open('a', '10.0.0.1')).toBe(0);
});
