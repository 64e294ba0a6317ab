/** How an instance is looked at: as its service says now, and asked what its own version answers to. */
import { expect, it } from 'vitest';
import type { Instance } from '../model/instance.ts';
import { Probe } from '../model/probe.ts';
import type { Service } from '../model/service.ts';
import type { Version } from '../model/version.ts';
import type { RegistryView } from '../registry/registry.ts';
import { emptyView } from '../registry/view.ts';
import { probeOf } from './health-targets.ts';

const probe = Probe.parse({ type: 'tcp', interval: '5s', failures: 7 });
const older = Probe.parse({ type: 'http', options: { path: '/ready' }, interval: '20s' });

const view: RegistryView = {
  ...emptyView,
  services: new Map([['weather', { revision: 1, value: { name: 'weather', version: 2, spec: { probe } } as Service }]]),
  versions: new Map([
    ['weather', [{ number: 1, probe: older } as Version, { number: 2, probe: older } as Version]],
    ['gone', [{ number: 1, probe: older } as Version]],
  ]),
};
const at = (service: string, version: number): Probe | undefined => probeOf(view, { service, version } as Instance);

it('follows the service at once, whatever stands in the version', () => {
  expect(at('weather', 2)).toBe(probe);
});

it('asks an instance of another version what that one answers to, as often and as patiently as all', () => {
  expect(at('weather', 1)).toEqual({ ...probe, type: 'http', options: { path: '/ready' } });
  expect(at('weather', 1)).toBe(at('weather', 1));
});

it('goes on where the service is gone', () => {
  expect(at('gone', 1)).toBe(older);
  expect(at('nowhere', 1)).toBeUndefined();
});
