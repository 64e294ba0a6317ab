/** The sample agents, spoken to directly: every event of the MyAgent protocol that they answer, as a client sees it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

const folder = join(resolve(dirname(fileURLToPath(import.meta.url)), '../..'), 'deploy/examples/agents');

interface Message {
  event: string;
  timestamp: string;
  seq: number;
  event_id: string;
  session_id?: string;
  content?: unknown;
  metadata?: Record<string, unknown>;
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
}

/** The port is the one that the agent names in its first line. */
async function startAgent(file: string, ...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [join(folder, file), '--port', '0', '--pace', '5', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((done, fail) => {
    let text = '';
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString('utf8');
      const found = /ws:\/\/[^:]+:(\d+)/.exec(text)?.[1];
      if (found !== undefined) done(Number(found));
    });
    child.once('exit', (code) => {
      fail(new Error(`${file} ended with ${String(code)}: ${text}`));
    });
  });
  return { child, port };
}

async function stopAgent({ child }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

class Client {
  readonly socket: WebSocket;
  readonly received: Message[] = [];
  readonly #waiting: ((message: Message) => void)[] = [];
  #read = 0;

  constructor(port: number, path = '/') {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    this.socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString('utf8')) as Message;
      this.received.push(message);
      const waiter = this.#waiting.shift();
      if (waiter !== undefined) {
        this.#read += 1;
        waiter(message);
      }
    });
  }

  async next(): Promise<Message> {
    const message = this.received[this.#read];
    if (message === undefined) return new Promise((done) => this.#waiting.push(done));
    this.#read += 1;
    return message;
  }

  /** Everything up to and with the first `event`. */
  async until(event: string): Promise<Message[]> {
    const seen: Message[] = [];
    for (let count = 0; count < 50; count += 1) {
      const message = await this.next();
      seen.push(message);
      if (message.event === event) return seen;
    }
    throw new Error(`no ${event} among ${seen.map((message) => message.event).join(', ')}`);
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  async ask(message: unknown): Promise<Message> {
    this.send(message);
    return this.next();
  }

  async createSession(): Promise<string> {
    const created = await this.ask({ event: 'user.create_session', content: {} });
    expect(created.event).toBe('agent.session_created');
    return created.session_id ?? '';
  }

  async close(): Promise<void> {
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }
}

async function open(port: number, path?: string): Promise<Client> {
  const client = new Client(port, path);
  const first = await client.next();
  expect(first.event).toBe('system.connected');
  return client;
}

/** What a raw request gets, as text. */
async function rawRequest(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.end(request);
  let text = '';
  socket.on('data', (part) => {
    text += part.toString('utf8');
  });
  await once(socket, 'close');
  return text;
}

describe.each(['weather.ts', 'finance.ts'])('the sample agent %s', (file) => {
  let agent: Running;
  let other: Running;
  beforeAll(async () => {
    [agent, other] = await Promise.all([startAgent(file), startAgent(file)]);
  });
  afterAll(async () => {
    await Promise.all([stopAgent(agent), stopAgent(other)]);
  });

  it('speaks first, on any path, and numbers what it sends', async () => {
    const client = new Client(agent.port, '/any/path?service=x');
    const first = await client.next();
    const id = first.metadata?.['connection_id'];
    expect(first).toMatchObject({ event: 'system.connected', seq: 1, event_id: `${String(id)}-1` });
    expect(first.content).toBe(`Connected to ${file.replace('.ts', '')}`);
    await client.createSession();
    expect(client.received[1]).toMatchObject({ seq: 2, event_id: `${String(id)}-2` });
    await client.close();
  });

  it('answers a turn with thinking, a tool and a final answer', async () => {
    const client = await open(agent.port);
    const session_id = await client.createSession();
    client.send({ event: 'user.message', session_id, content: 'Hello' });
    const events = await client.until('agent.final_answer');
    expect(events.map((message) => message.event)).toEqual([
      'agent.thinking',
      'agent.thinking',
      'agent.tool_call',
      'agent.tool_result',
      'agent.final_answer',
    ]);
    expect(events.every((message) => message.session_id === session_id)).toBe(true);
    expect(events.map((message) => message.seq)).toEqual([3, 4, 5, 6, 7]);
    await client.close();
  });

  it('cancels a turn, and the session goes on', async () => {
    const client = await open(agent.port);
    const session_id = await client.createSession();
    client.send({ event: 'user.message', session_id, content: 'Hello' });
    client.send({ event: 'user.cancel', session_id });
    const events = await client.until('agent.interrupted');
    expect(events.map((message) => message.event)).not.toContain('agent.final_answer');
    client.send({ event: 'user.message', session_id, content: 'Again' });
    await client.until('agent.final_answer');
    await client.close();
  });

  it('exports its state signed, and restores it on the same process only', async () => {
    const client = await open(agent.port);
    const session_id = await client.createSession();
    client.send({ event: 'user.ack', content: { last_seq: 2 } });
    const exported = await client.ask({ event: 'user.request_state', session_id });
    expect(exported).toMatchObject({ event: 'agent.state_exported', session_id, metadata: { acked_seq: 2 } });
    const content = { signed_state: exported.metadata?.['signed_state'], last_seq: exported.seq };
    await client.close();

    const back = await open(agent.port);
    const restored = await back.ask({ event: 'user.reconnect_with_state', content });
    expect(restored).toMatchObject({ event: 'agent.state_restored', metadata: { previous_session_id: session_id } });
    expect(restored.session_id).not.toBe(session_id);
    back.send({ event: 'user.message', session_id: restored.session_id, content: 'Hello' });
    await back.until('agent.final_answer');
    await back.close();

    const elsewhere = await open(other.port);
    expect(await elsewhere.ask({ event: 'user.reconnect_with_state', content })).toMatchObject({
      event: 'system.error',
      content: 'Invalid state signature',
    });
    await elsewhere.close();
  });

  it('ties a session to its connection', async () => {
    const client = await open(agent.port);
    const session_id = await client.createSession();
    const stranger = await open(agent.port);
    const answer = await stranger.ask({ event: 'user.message', session_id, content: 'Hello' });
    expect(answer.event).toBe('system.error');
    await client.close();
    await stranger.close();
  });

  it.each(['{not json', '[]', '"text"', '{"event":"user.nothing"}', '{"event":"toString"}', '{"content":1}'])(
    'answers %s with system.error and stays',
    async (bad) => {
      const client = await open(agent.port);
      expect((await client.ask(bad)).event).toBe('system.error');
      await client.createSession();
      await client.close();
    },
  );

  it('takes frames up to 1 MiB and closes with 1009 above', async () => {
    const client = await open(agent.port);
    const session_id = await client.createSession();
    const frame = JSON.stringify({ event: 'user.message', session_id, content: '' });
    client.send(frame.replace('""', `"${'x'.repeat(1024 * 1024 - frame.length)}"`));
    await client.until('agent.final_answer');
    const closed = once(client.socket, 'close');
    client.send('x'.repeat(1024 * 1024 + 1));
    expect((await closed)[0]).toBe(1009);
  });

  it('answers a plain GET with 426 and a POST not at all', async () => {
    expect(await rawRequest(agent.port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')).toMatch(/^HTTP\/1\.1 426 /);
    expect(await rawRequest(agent.port, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n')).toBe('');
  });
});

it('heartbeats every connection, and SIGTERM closes all with 1000 in the middle of a turn', async () => {
  const agent = await startAgent('weather.ts', '--heartbeat', '0.05', '--pace', '60000');
  try {
    const clients = await Promise.all([open(agent.port), open(agent.port)]);
    for (const client of clients) {
      client.send({ event: 'user.create_session', content: {} });
      const created = (await client.until('agent.session_created')).at(-1);
      client.send({ event: 'user.message', session_id: created?.session_id, content: 'Hello' });
      await client.until('system.heartbeat');
    }
    const closed = clients.map(async (client) => once(client.socket, 'close'));
    const exited = once(agent.child, 'exit');
    agent.child.kill('SIGTERM');
    expect((await Promise.all(closed)).map((args) => args[0] as number)).toEqual([1000, 1000]);
    expect((await exited)[0]).toBe(0);
  } finally {
    await stopAgent(agent);
  }
});

it('gives the same weather for the same city, and computes interest', async () => {
  const answer = async (file: string, text: string): Promise<unknown> => {
    const agent = await startAgent(file);
    try {
      const client = await open(agent.port);
      const session_id = await client.createSession();
      client.send({ event: 'user.message', session_id, content: text });
      return (await client.until('agent.final_answer')).at(-1)?.content;
    } finally {
      await stopAgent(agent);
    }
  };
  const paris = await answer('weather.ts', 'What is the weather in Paris?');
  expect(paris).toMatch(/^Paris: .+ °C/);
  expect(await answer('weather.ts', 'How is it in Paris today?')).toBe(paris);
  expect(await answer('weather.ts', '北京的天气怎么样')).toMatch(/^北京: /);
  expect(await answer('finance.ts', '1,000 at 5% for 10 years')).toContain('1628.89 after 10 years');
  expect(await answer('finance.ts', 'Price of AAPL?')).toMatch(/^AAPL stands at [\d.]+ USD/);
});
