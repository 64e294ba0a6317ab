import { expect, it } from 'vitest';
import { opinionsIn } from './gateway-view.ts';

it('reads whom an Envoy finds ill, and says nothing of one that it has not checked yet', () => {
  const host = (port: number, health: object): object => ({
    address: { socket_address: { address: '10.0.0.1', port_value: port } },
    health_status: { eds_health_status: 'HEALTHY', ...health },
  });
  const text = JSON.stringify({
    cluster_statuses: [
      {
        name: 'weather',
        host_statuses: [
          host(1, {}),
          host(2, { failed_active_health_check: true }),
          host(3, { failed_active_health_check: true, pending_active_hc: true }),
        ],
      },
      { name: 'empty' },
    ],
  });
  const found = opinionsIn(text);
  expect([...found.keys()]).toEqual(['10.0.0.1:1', '10.0.0.1:2']);
  expect(found.get('10.0.0.1:1')).toBe('');
  expect(found.get('10.0.0.1:2')).toContain('its own health check fails');
});
