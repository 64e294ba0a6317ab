/** The settings file that is handed out has every setting there is, with its default. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from './config.ts';

const example = new URL('../../deploy/examples/switchboard.yaml', import.meta.url);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sb-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function load(content: string | Buffer, environment: Record<string, string> = {}) {
  const file = join(folder, 'switchboard.yaml');
  writeFileSync(file, content);
  return loadConfig({ SWITCHBOARD_SETTINGS: file, ...environment }, folder);
}

const NOT_SETTINGS = new Set(['file', 'dataFolder', 'baseFolder', 'unknownVariables', 'environment']);

/** Dotted paths of all that is no mapping. */
function paths(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [at];
  return Object.entries(value).flatMap(([key, inner]) => paths(inner, at === '' ? key : `${at}.${key}`));
}

describe('the settings file in the examples', () => {
  const text = readFileSync(example, 'utf8');
  // What is commented out, as whoever takes the # off has it; sentences begin with a capital letter or a lower-case word without a colon.
  const settings = text
    .split('\n')
    .filter((line) => /^# ?( *#|( {2})*[a-zA-Z]+:( |$))/.test(line) && !/^# ( *)#/.test(line))
    .map((line) => line.slice(2))
    .join('\n');

  it('says nothing as it is', () => {
    expect(parse(text)).toBeNull();
  });

  it('is taken with all of it', () => {
    expect(load(settings, { OTLP_AUTHORIZATION: 'x' }).events).toEqual({ most: 5_000, keep: '90d' });
  });

  it('has every setting that has a default, with that default', () => {
    const defaults = load('');
    const shown = parse(settings) as Record<string, Record<string, unknown>>;
    const rest = Object.fromEntries(Object.entries(defaults).filter(([key]) => !NOT_SETTINGS.has(key)));
    for (const path of paths(rest)) {
      if (/^(runtimes|store\.options)/.test(path)) continue;
      const at = (from: unknown): unknown =>
        path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], from);
      expect(at(shown), path).toEqual(at(rest));
    }
  });
});

describe('bad settings', () => {
  it.each([
    ['gatway: { port: 1 }', {}, 'gatway: unknown field'],
    ['gateway: 5', {}, 'gateway: must be an object, not a number'],
    ['gateway: 5', { SWITCHBOARD_GATEWAY_PORT: '0' }, 'gateway: must be an object, not a number'],
    ['', { SWITCHBOARD_GATEWAY_PORT: 'abc' }, 'SWITCHBOARD_GATEWAY_PORT: must be a number, not text'],
    ['', { SWITCHBOARD_API_PORT: 'tcp://10.0.0.1:80' }, '`enableServiceLinks: false`'],
    ['', { SWITCHBOARD_GATEWAY_PROT: '9000' }, 'there is no environment variable SWITCHBOARD_GATEWAY_PROT'],
    ['dns: { servers: [dns.example] }', {}, 'dns.servers.0: must be an IP address'],
    ['', { SWITCHBOARD_DNS_SERVERS: '10.0.0.53,10.0.0.54:0' }, 'SWITCHBOARD_DNS_SERVERS: must be an IP address'],
    ['gateway: { trustedProxies: [nginx] }', {}, 'gateway.trustedProxies.0: must be an IP address or a range'],
    ['', { SWITCHBOARD_GATEWAY_TRUSTED_PROXIES: '10.0.0.0/33' }, 'SWITCHBOARD_GATEWAY_TRUSTED_PROXIES: must be an IP'],
    ["gateway: { trustedProxies: ['::ffff:10.0.0.1'] }", {}, 'write it as IPv4, such as 10.0.0.1'],
    ['gateway: { proxyProtocol: {} }', {}, 'gateway.proxyProtocol.port: '],
    ['gateway: { proxyProtocol: { port: 8801 } }', {}, 'gateway.proxyProtocol.port: 8801 is api.port too'],
    [Buffer.from([0x61, 0x3a, 0x20, 0xff]), {}, 'is not valid UTF-8'],
    ['[a]', {}, 'must hold a mapping'],
    ['a: [', {}, 'is not valid YAML'],
    ['gateway: { host: gw.example.com }', {}, 'gateway.host: must be an IP address of this machine, not a name'],
    ['', { SWITCHBOARD_API_HOST: '0.0.0.0:80' }, 'SWITCHBOARD_API_HOST: must be the address alone, 0.0.0.0'],
  ])('%s with %o', (content, environment, message) => {
    expect(() => load(content, environment)).toThrow(message);
  });
});

it('a variable that nothing here reads is told of', () => {
  expect(load('', { SWITCHBOARD_OF_TOMORROW: 'x' }).unknownVariables).toEqual(['SWITCHBOARD_OF_TOMORROW']);
});

it.each([
  ['gateway: {port: 9000}\napi: {port: 9000}', {}, 'api.port: 9000 is gateway.port too'],
  ['gateway: {port: 9000}', { SWITCHBOARD_XDS_PORT: '9000' }, 'SWITCHBOARD_XDS_PORT: 9000 is gateway.port too'],
  ['agents: {ports: [9200, 9100]}', {}, 'agents.ports: the first port (9200) is above the last (9100)'],
])('%s %o is refused: %s', (text, environment, message) => {
  expect(() => load(text, environment)).toThrow(message);
});

it('a list of trusted proxies is the same in whatever order', () => {
  const { gateway } = load("gateway: { trustedProxies: ['fd00::/8', 10.0.0.1, 10.0.0.0/8, 10.0.0.1] }");
  expect(gateway.trustedProxies).toEqual(['10.0.0.0/8', '10.0.0.1', 'fd00::/8']);
  const environment = { SWITCHBOARD_GATEWAY_TRUSTED_PROXIES: '10.0.0.1, 10.0.0.0/8' };
  expect(load('', environment).gateway.trustedProxies).toEqual(['10.0.0.0/8', '10.0.0.1']);
});

it('several ports may be picked free', () => {
  expect(load('gateway: {port: 0}\napi: {port: 0}\nxds: {port: 0}').api.port).toBe(0);
});

it('DNS servers are given with a port or without', () => {
  const servers = ['10.0.0.53', '10.0.0.53:5353', 'fd00::53', '[fd00::53]:5353'];
  expect(load('', { SWITCHBOARD_DNS_SERVERS: servers.join(', ') }).dns.servers).toEqual(servers);
});
