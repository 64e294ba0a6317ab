import { createInterface } from 'node:readline';
import { styleText } from 'node:util';
import { WebSocket } from 'ws';
import { SwitchboardError } from '../../model/errors.ts';
import type { Cli } from '../command.ts';
import { note, print } from '../output.ts';

interface Options {
  path?: string;
  raw?: boolean;
  message?: string;
}

interface AgentEvent {
  event?: string;
  session_id?: string;
  content?: unknown;
}

function parsed(text: string): AgentEvent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'event' in value ? (value as AgentEvent) : undefined;
  } catch {
    return undefined;
  }
}

const shown = (content: unknown): string => (typeof content === 'string' ? content : JSON.stringify(content));

export function connectCommand(cli: Cli): void {
  cli.program
    .command('connect <service>')
    .summary('talk to an agent through the gateway')
    .description(
      'Lines that you type are sent. An agent that greets as a MyAgent server gets a session and user messages; any other gets the lines as they are.',
    )
    .option('--path <path>', 'more path after the service')
    .option('--raw', 'send lines as they are, print messages as they come')
    .option('-m, --message <text>', 'send one message, print the answer, end')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard connect weather\n  switchboard connect weather -m "weather in Paris?"',
    )
    .action(async (name: string, options: Options) => {
      const service = await cli.client().service(name);
      await talk(service.status.url + (options.path ?? ''), options);
    });
}

async function talk(url: string, options: Options): Promise<void> {
  const socket = new WebSocket(url);
  const input =
    options.message === undefined
      ? createInterface({
          input: process.stdin,
          output: process.stdin.isTTY ? process.stderr : undefined,
          prompt: '> ',
        })
      : undefined;
  let session: string | undefined;
  let isMyAgent = false;
  const send = (event: string, content: unknown): void => {
    socket.send(
      JSON.stringify({
        event,
        timestamp: new Date().toISOString(),
        content,
        ...(session === undefined ? {} : { session_id: session }),
      }),
    );
  };
  const say = (text: string): void => {
    if (isMyAgent) send('user.message', text);
    else socket.send(text);
  };

  function take(event: AgentEvent): void {
    switch (event.event ?? '') {
      case 'system.connected':
        isMyAgent = true;
        note(styleText('dim', shown(event.content)));
        send('user.create_session', {});
        return;
      case 'agent.session_created':
        session = event.session_id;
        if (options.message !== undefined) say(options.message);
        else input?.prompt();
        return;
      case 'agent.final_answer':
        print(`${shown(event.content)}\n`);
        if (options.message !== undefined) socket.close(1000);
        else input?.prompt();
        return;
      case 'system.heartbeat':
        return;
      default:
        note(styleText('dim', `${event.event ?? ''} ${shown(event.content)}`));
    }
  }

  await new Promise<void>((resolve, reject) => {
    let first = true;
    socket.on('message', (data, binary) => {
      const text = binary ? `(${(data as Buffer).length} bytes)` : (data as Buffer).toString('utf8');
      const event = parsed(text);
      const greeting = first;
      first = false;
      if (options.raw !== true && event !== undefined && (isMyAgent || event.event === 'system.connected')) {
        take(event);
        return;
      }
      print(`${text}\n`);
      if (options.message === undefined) input?.prompt();
      else if (greeting) say(options.message);
      else socket.close(1000);
    });
    socket.on('unexpected-response', (_request, response) => {
      reject(new SwitchboardError('unavailable', `the gateway refuses the session with ${response.statusCode ?? 0}`));
      socket.terminate();
    });
    socket.on('error', (error) => {
      reject(new SwitchboardError('unavailable', `cannot reach ${url}: ${error.message}`));
    });
    socket.on('close', (code) => {
      input?.close();
      if (code !== 1000 && code !== 1005) note(`closed with ${code}`);
      resolve();
    });
    input?.on('line', (line) => {
      if (line !== '') say(line);
    });
    input?.on('close', () => {
      socket.close(1000);
    });
  });
}
