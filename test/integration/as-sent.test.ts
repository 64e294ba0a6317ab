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
    seed: [
      service('recorder'),
      service('plain', { headersWithUnderscores: 'pass', http: { responseTimeout: '1m' } }),
      echoService('echo'),
    ],
  });
  gateway = (await world.status()).gateway.port;
  const route = (name: string, prefix: string, rewrite?: string): object => ({
    kind: 'Route',
    name,
    spec: {
      match: { path: { prefix } },
      target: { service: 'recorder' },
      ...(rewrite === undefined ? {} : { rewrite }),
    },
  });
  await world.client.apply([route('app', '/app/', '/'), route('api', '/api', '/v2'), route('as-it-is', '/plain')], {
    wait: true,
  });
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

describe('a prefix that a route takes off', () => {
  const redirect = (location: string, ...lines: string[]): Buffer =>
    bytes(['HTTP/1.1 302 Elsewhere', `Location: ${location}`, ...lines, 'Content-Length: 5', '', 'moved'].join('\r\n'));
  async function answer(target: string, sent: Buffer): Promise<Message> {
    return messageIn((await agent.turn(gateway, { send: head(target), answer: sent })).atClient);
  }

  it.each([
    ['/agents/recorder/x', ['/agents/recorder']],
    ['/app/x', ['/app']],
    ['/api/x', []],
    ['/plain/x', []],
  ])('is told to the agent, and by nobody else: %s', async (target, wanted) => {
    const got = await through(answered(head(target, 'X-Forwarded-Prefix: /evil')));
    expect(values(got, 'x-forwarded-prefix')).toEqual(wanted);
  });

  it.each([
    ['/agents/recorder', '/login', '/agents/recorder/login'],
    ['/agents/recorder/', '/', '/agents/recorder/'],
    ['/agents/recorder', '/a%2Fb?next=/x#y', '/agents/recorder/a%2Fb?next=/x#y'],
    ['/agents/recorder', 'http://agents.test/login', 'http://agents.test/agents/recorder/login'],
    ['/agents/recorder', 'ws://AGENTS.test', 'ws://AGENTS.test/agents/recorder/'],
    ['/agents/recorder', 'https://elsewhere.test/login', 'https://elsewhere.test/login'],
    ['/agents/recorder', '//elsewhere.test/login', '//elsewhere.test/login'],
    ['/agents/recorder', 'login', 'login'],
    ['/agents/recorder', '../login', '../login'],
    ['/agents/recorder', '/agents/recorder/login', '/agents/recorder/login'],
    ['/agents/recorder', '/agents/recorders', '/agents/recorder/agents/recorders'],
    ['/app/go', '/login', '/app/login'],
    ['/api/go', '/v2/login', '/api/login'],
    ['/api/go', '/v2', '/api'],
    ['/api/go', '/v20', '/v20'],
    ['/api/go', '/login', '/login'],
    ['/plain/go', '/plain/login', '/plain/login'],
  ])('comes back in a redirect: %s, %s', async (target, location, wanted) => {
    const got = await answer(target, redirect(location, `Content-Location: ${location}`));
    expect([values(got, 'location'), values(got, 'content-location')]).toEqual([[wanted], [wanted]]);
    expect([got.start, got.body]).toEqual(['HTTP/1.1 302 Elsewhere', 'moved']);
  });

  it('comes back in the paths of cookies', async () => {
    const lines = [
      'a=1; Path=/; HttpOnly',
      'b=2; path=/x',
      'c=3; Path=/agents/recorder/x',
      'd=4',
      'e=5; Domain=a.test',
    ];
    const got = await answer('/agents/recorder', redirect('/', ...lines.map((line) => `Set-Cookie: ${line}`)));
    expect(values(got, 'set-cookie')).toEqual([
      'a=1; Path=/agents/recorder/; HttpOnly',
      'b=2; path=/agents/recorder/x',
      ...lines.slice(2),
    ]);
  });
});

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

/** What differs between both ways, and why. Everything else that the tests below send arrives as it was sent. */
const ADDED_FOR_AGENTS: Readonly<Record<string, string>> = {
  'x-forwarded-for': 'who the client is',
  'x-forwarded-proto': 'how it came',
  'x-forwarded-host': 'by which name it came',
  'x-forwarded-prefix': 'what its path lost',
  'x-envoy-external-address': 'the same as Envoy tells it',
  'x-request-id': 'names the request in logs of both',
  'content-length': 'of nothing, for a method that may have a body',
};
const ADDED_FOR_CLIENTS: Readonly<Record<string, string>> = {
  // No words behind a status of which Envoy knows none become `Unknown`.
  date: 'an intermediary with a clock adds it where it is missing (RFC 9110, 6.6.1)',
};
/** Of one connection only (RFC 9110, 7.6.1). They stay where they make an upgrade. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding'];

type Field = readonly [string, string];
const keeps = (
  fields: readonly Field[],
  added: Readonly<Record<string, string>>,
  direct: readonly Field[],
): Field[] => {
  const sent = new Set(direct.map(([name]) => name.toLowerCase()));
  const isUpgrade = sent.has('upgrade');
  return fields.filter(([name]) => {
    const key = name.toLowerCase();
    if (HOP_BY_HOP.includes(key)) return isUpgrade;
    return sent.has(key) || added[key] === undefined;
  });
};

/** Body in chunks: their sizes and extensions are of one connection, what they carry is not. */
function content({ fields, body }: Message): string {
  // A final answer behind an interim one.
  if (body.startsWith('HTTP/1.1 ')) return body.replace(/\r\ndate: [^\r]*/, '');
  if (!fields.some(([name, value]) => name.toLowerCase() === 'transfer-encoding' && value === 'chunked')) return body;
  let [rest, whole] = [body, ''];
  for (;;) {
    const size = Number.parseInt(rest, 16);
    const from = rest.indexOf('\r\n') + 2;
    if (!(size > 0)) return `${whole}|${rest.slice(from).toLowerCase()}`;
    whole += rest.slice(from, from + size);
    rest = rest.slice(from + size + 2);
  }
}

async function both(turn: (target: string) => Turn): Promise<void> {
  const direct = await agent.turn(agent.port, turn(''));
  const passed = await agent.turn(gateway, turn('/agents/recorder'));
  const sides = [
    ['atAgent', ADDED_FOR_AGENTS],
    ['atClient', ADDED_FOR_CLIENTS],
  ] as const;
  for (const [side, added] of sides) {
    const [wanted, got] = [messageIn(direct[side]), messageIn(passed[side])];
    expect(wanted.start).not.toBe('');
    expect({ start: got.start, fields: keeps(got.fields, added, wanted.fields), content: content(got) }).toEqual({
      start: wanted.start,
      fields: keeps(wanted.fields, {}, wanted.fields),
      content: content(wanted),
    });
  }
}

const request = (method: string, path: string, lines: readonly string[] = [], body = '', end?: string) => {
  const text = (target: string): string =>
    [`${method} ${target}${path} HTTP/1.1`, 'Host: agents.test', ...lines, '', body].join('\r\n');
  return (answer: Buffer = OK, answersLast?: Buffer) =>
    async (): Promise<void> =>
      both((target) => ({
        send: bytes(text(target)),
        answer,
        ...(end === undefined && body === '' ? {} : { sendsLast: bytes(end ?? body) }),
        ...(lines.some((line) => /^upgrade:/i.test(line)) ? { answersHead: true } : {}),
        ...(answersLast === undefined ? {} : { answersLast }),
      }));
};
const response = (...lines: string[]): Buffer => bytes(lines.join('\r\n'));

describe('what a client sends arrives at the agent', () => {
  const LONG = 'x'.repeat(20_000);
  it.each([
    ['/a%2Fb/%5C/%7e~/%7E/%c3%A9/%00/%zz/100%'],
    ['//a///b/'],
    ['/back\\slash/|^`{}"<>[]'],
    ['/./a/.b/..c/c../...'],
    ['/a;x=1;y=%2f/b,c'],
    ['/https%3A%2F%2Fhost.example%2Fdoc/ws'],
    ['/?'],
    ['/?a=%2F&b=//&c=../..&d=a+b%20c&e&=f&&'],
    ['/?a?b?c/d;e'],
    [`/${LONG}?${LONG}`],
  ])('path %s', async (path) => {
    await request('GET', path)()();
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'SEARCH', 'X-OWN'])(
    'method %s, without a body',
    async (method) => {
      const none = method === 'GET' || method === 'DELETE' || method === 'OPTIONS' ? [] : ['Content-Length: 0'];
      await request(method, '/', none)()();
    },
  );

  it('method HEAD', request('HEAD', '/')(response('HTTP/1.1 200 OK', 'Content-Length: 5', 'X-End: 1', '', '')));

  it.each([
    ['names in every spelling', ['x-lower: 1', 'X-UPPER: 2', 'X-miXed-Case: 3', 'DNT: 1', "!#$%&'*+.^`|~-: 4"]],
    ['a name several times, in its order', ['X-Many: 1', 'Accept: a', 'X-Many: 2', 'X-Many: 1']],
    ['empty values', ['X-Empty:', 'X-Spaces:    ', 'X-After: 1']],
    ['every byte that a value may have', ['X-Bytes: \t!"#$%&()*,/:;<=>?@[\\]^`{|}~ \x80\xa0caf\xe9\xff end']],
    [
      'what proxies like to change',
      ['Accept-Encoding: br;q=1, gzip', 'Cookie: a=b; c="d"', 'Cookie: e=f', 'TE: trailers'],
    ],
    ['a long value', [`X-Long: ${'y'.repeat(16_000)}`]],
    [
      'what others say of the client',
      ['Forwarded: for=192.0.2.1;proto=https', 'Via: 1.0 fred', 'X-Real-IP: 192.0.2.1'],
    ],
  ])('headers: %s', async (_, lines) => {
    await request('GET', '/', lines)()();
  });

  it('a body of a length', request('POST', '/', ['Content-Length: 8'], '\0\xff\r\n\r\n!!')());
  it('a body with GET', request('GET', '/', ['Content-Length: 4'], 'body')());
  it(
    'a body in chunks, with extensions and trailers',
    request(
      'POST',
      '/',
      ['Transfer-Encoding: chunked', 'Trailer: X-Sum'],
      '3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 9\r\n\r\n',
      '9\r\n\r\n',
    )(),
  );
  it(
    'Expect: the agent answers it',
    request('POST', '/', ['Expect: 100-continue', 'Content-Length: 5'])(
      response('HTTP/1.1 417 No', 'Content-Length: 2', '', 'no'),
    ),
  );
});

describe('what an agent answers arrives at the client', () => {
  it.each([
    ['words behind the status', ['HTTP/1.1 200 Very well', 'Content-Length: 2', '', 'ok']],
    [
      'names and a server of its own',
      ['HTTP/1.1 200 OK', 'SERVER: mine/1', 'etag: "a"', 'Content-length: 2', '', 'ok'],
    ],
    ['a date of its own', ['HTTP/1.1 200 OK', 'Date: Thu, 01 Jan 1970 00:00:00 GMT', 'Content-Length: 2', '', 'ok']],
    [
      'cookies in their order',
      ['HTTP/1.1 200 OK', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'Content-Length: 2', '', 'ok'],
    ],
    ['bytes beyond ASCII', ['HTTP/1.1 200 OK', 'X-A: caf\xe9', 'X-Empty:', 'Content-Length: 4', '', '\0\xff\r\n']],
    ['an error', ['HTTP/1.1 418 Teapot', 'Content-Length: 5', '', 'short']],
    [
      'chunks with trailers',
      ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '2;x=y', 'ok', '0', 'X-Sum: 9', '', ''],
    ],
    ['early hints', ['HTTP/1.1 103 Early Hints', 'Link: </a>', '', 'HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok']],
  ])('%s', async (_, lines) => {
    const last = lines.includes('Transfer-Encoding: chunked') ? bytes('9\r\n\r\n') : undefined;
    await request('GET', '/')(response(...lines), last)();
  });
});

describe('a handshake', () => {
  const LINES = [
    'Upgrade: websocket',
    'Connection: keep-alive, Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGVzdA==',
  ];
  const SWITCHED = ['HTTP/1.1 101 Off we go', 'upgrade: WebSocket', 'CONNECTION: Upgrade', 'Sec-WebSocket-Accept: x'];
  const frames = (masked: boolean): string =>
    // All opcodes, reserved ones too, each with all reserved bits.
    Array.from(
      { length: 16 },
      (_, opcode) => `${String.fromCharCode(0xf0 | opcode)}${masked ? '\x82mask' : '\x02'}hi`,
    ).join('');

  it('and its answer', request('GET', '/', LINES)(response(...SWITCHED, '', '')));
  it(
    'with offers',
    request('GET', '/', [
      ...LINES,
      'Sec-WebSocket-Protocol: a, b',
      'Sec-WebSocket-Protocol: c',
      'Sec-WebSocket-Extensions: permessage-deflate; x="y"',
      'Origin: null',
    ])(response(...SWITCHED, 'Sec-WebSocket-Protocol: c', '', '')),
  );
  it(
    'in capitals',
    request(
      'GET',
      '/',
      LINES.map((line) => line.replace(/^[^:]+/, (name) => name.toUpperCase())),
    )(response(...SWITCHED, '', '')),
  );
  it(
    'that is refused',
    request('GET', '/', LINES)(response('HTTP/1.1 401 Who', 'WWW-Authenticate: Basic', 'Content-Length: 2', '', 'no')),
  );
  it(
    'with frames right behind it, and right behind the 101',
    request('GET', '/', LINES, frames(true))(response(...SWITCHED, '', frames(false))),
  );

  it('that is redirected keeps what the agent says of it, but not the body, which Envoy throws away', async () => {
    const turn = (target: string): Turn => ({
      send: head(`${target}/go`, ...LINES),
      answer: response('HTTP/1.1 302 Go', 'Location: /x', 'Set-Cookie: a=b', 'Content-Length: 5', '', 'moved'),
      answersLast: bytes('\r\n\r\n'),
    });
    const got = messageIn((await agent.turn(gateway, turn('/agents/recorder'))).atClient);
    expect([got.start, values(got, 'location'), values(got, 'set-cookie'), got.body]).toEqual([
      'HTTP/1.1 302 Found',
      ['/x'],
      ['a=b'],
      '',
    ]);
  });
});

/** Refused, or read otherwise, by design: what agents must never have to tell apart. */
describe('what is no HTTP of today', () => {
  it.each([
    [
      'two lengths',
      'POST /agents/recorder HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
    ],
    [
      'a length and chunks',
      'POST /agents/recorder HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['no host', 'GET /agents/recorder HTTP/1.1\r\n\r\n', 400],
    ['a space before the colon', 'GET /agents/recorder HTTP/1.1\r\nHost: a\r\nX-A : 1\r\n\r\n', 400],
    ['a control character', 'GET /agents/recorder HTTP/1.1\r\nHost: a\r\nX-A: a\x00b\r\n\r\n', 400],
    ['a fragment', 'GET /agents/recorder#x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['HTTP/1.0', 'GET /agents/recorder HTTP/1.0\r\nHost: a\r\n\r\n', 426],
    [
      'QUERY, a method that this Envoy does not take',
      'QUERY /agents/recorder HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
      400,
    ],
    ['the whole server', 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404],
    [
      'another upgrade',
      'GET /agents/recorder HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n',
      403,
    ],
    ['a path out of its prefix', 'GET /agents/recorder/../plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404],
  ])('is refused: %s', async (_, send, status) => {
    const { atClient, atAgent } = await agent.turn(gateway, {
      send: bytes(send),
      answer: OK,
      answersLast: bytes('\r\n\r\n'),
    });
    expect(messageIn(atClient).start).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(atAgent.length).toBe(0);
  });

  it('folded lines become one, as RFC 9112 section 5.2 wants it of a proxy', async () => {
    const got = await through(answered(head('/agents/recorder', 'X-Fold: a\r\n  b')));
    expect(values(got, 'x-fold')[0]?.replaceAll(/\s+/g, ' ')).toBe('a b');
  });
});
