/** What is passed on is what was sent: the same bytes go to an agent directly and through the gateway, and what arrives is compared. */
import { describe, expect, it, beforeAll, afterAll } from 'vitest';
import { messageIn, startRecorder, type Message, type Recorder, type Turn } from '../support/recorder.ts';
import { openSession } from '../support/sessions.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const OK = bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

let world: World;
let agent: Recorder;
let gateway = 0;

beforeAll(async () => {
  agent = await startRecorder();
  const service = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    kind: 'Service',
    name,
    spec: {
      runtime: 'external',
      addresses: [{ host: '127.0.0.1', port: agent.port }],
      probe: { type: 'tcp' },
      gateway: { healthCheck: { type: 'off' }, ...more },
    },
  });
  world = await startWorld({
    name: 'as-sent',
    seed: [service('recorder'), service('plain', { headersWithUnderscores: 'pass' }), echoService('echo')],
  });
  gateway = (await world.status()).gateway.port;
  await world.ready('plain', 1);
  await world.ready('recorder', 1);
}, 60_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
});

const head = (target: string, ...lines: string[]): Buffer =>
  bytes([`GET ${target} HTTP/1.1`, 'Host: agents.test', ...lines, '', ''].join('\r\n'));
const answered = (send: Buffer, more: Partial<Turn> = {}): Turn => ({ send, answer: OK, ...more });
const through = async (turn: Turn): Promise<Message> => messageIn((await agent.turn(gateway, turn)).atAgent);
const values = ({ fields }: Message, name: string): string[] =>
  fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);

describe('a header whose name has an underscore', () => {
  const sent = [
    'X_Team: core',
    'X-Part_Of: core',
    'X_Forwarded_For: 6.6.6.6',
    'X-Forwarded_Proto: https',
    'x_switchboard_service: other',
    'X-Switchboard_Host: other',
  ];
  it('stays at the gateway, unless the service lets it pass: then all that do not pretend to come from the gateway', async () => {
    const names = ({ fields }: Message): string[] => fields.map(([name]) => name).filter((name) => name.includes('_'));
    expect(names(await through(answered(head('/agents/recorder', ...sent))))).toEqual([]);
    expect(names(await through(answered(head('/agents/plain', ...sent))))).toEqual(['X_Team', 'X-Part_Of']);
  });
});

describe('an id that the client gives its request', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
  it.each([
    ['is passed on if it is sane', 'X-Request-ID: 01J9Z/trace:7=a.b_c~d@e+f', /^01J9Z\/trace:7=a\.b_c~d@e\+f$/],
    ['is replaced if it is long', `X-Request-ID: ${'a'.repeat(129)}`, uuid],
    ['is replaced if it has what breaks logs', 'X-Request-ID: a{"b', uuid],
    ['is replaced if it is empty', 'X-Request-ID:', uuid],
    ['is made if there is none', 'X-Other: 1', uuid],
  ])('%s', async (_, line, wanted) => {
    const [id = '', ...more] = values(await through(answered(head('/agents/recorder', line))), 'x-request-id');
    expect(id).toMatch(wanted);
    expect(more).toEqual([]);
  });

  it('names the request and not the session: two clients with the same one have a session each', async () => {
    await world.ready('echo', 1);
    const headers = { 'x-request-id': 'the-same' };
    const both = await Promise.all([1, 2].map(async () => openSession(world.url('echo'), { headers })));
    expect(both.map(({ greeting }) => greeting.headers['x-request-id'])).toEqual(['the-same', 'the-same']);
    const listed = async () => (await world.client.sessions({ service: 'echo' })).items;
    const open = async (): Promise<number> => (await listed()).length;
    await world.until('both show', async () => (await open()) === 2);
    expect((await listed()).map(({ requestId }) => requestId)).toEqual(['the-same', 'the-same']);
    expect(new Set((await listed()).map(({ id }) => id)).size).toBe(2);
    await both[0]?.close();
    await world.until('one is gone', async () => (await open()) === 1);
    await both[1]?.close();
    await world.until('both are gone', async () => (await open()) === 0);
  });
});
