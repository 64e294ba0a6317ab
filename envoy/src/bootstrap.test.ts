import { expect, it } from 'vitest';
import { bootstrap, controlPlaneOf, type BootstrapOptions } from './bootstrap.ts';

const options: BootstrapOptions = {
  nodeId: 'gateway-1',
  cluster: 'switchboard',
  zone: '',
  xds: { host: '127.0.0.1', port: 1 },
  variant: 'delta',
  adminPath: '/tmp/admin.sock',
  maxConnections: 1,
};
const tls = {
  folder: '/tls',
  identity: { path: '/tls/identity.json', name: 'identity' },
  authority: { path: '/tls/authority.json', name: 'authority' },
  controlPlane: 'spiffe://switchboard/control-plane',
};

it('tells where its Envoy looks for the control plane', () => {
  expect(controlPlaneOf(JSON.stringify(bootstrap(options)))).toEqual({ host: '127.0.0.1', port: 1 });
  expect(controlPlaneOf('')).toBeUndefined();
});

it('asks for the control plane by its own name, and for TLS 1.3', () => {
  const text = JSON.stringify(bootstrap({ ...options, tls }));
  expect(text).toContain('{"exact":"spiffe://switchboard/control-plane"}');
  expect(text).toContain('"tls_minimum_protocol_version":"TLSv1_3"');
});
