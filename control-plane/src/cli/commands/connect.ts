import { createInterface } from 'node:readline';
import { styleText } from 'node:util';
import { durationFlag, type Cli } from '../command.ts';
import { converse, type Conversation } from '../conversation.ts';
import { note, print } from '../output.ts';

interface Options {
  path?: string;
  raw?: boolean;
  message?: string;
  timeout: string;
}

const below = (path = ''): string => (path === '' || /^[/?]/.test(path) ? path : `/${path}`);

export function connectCommand(cli: Cli): void {
  cli.program
    .command('connect <service>')
    .summary('talk to an agent through the gateway')
    .description(
      'Lines that you type, or that a pipe gives, are sent; from a pipe each waits for the answer to the one before, and the command ends with the last. An agent that greets as a MyAgent server gets a session and user messages; any other gets the lines as they are.',
    )
    .option('--path <path>', 'more path after the service')
    .option('--raw', 'send lines as they are, print messages as they come')
    .option('-m, --message <text>', 'send one message, print the answer, end')
    .option('--timeout <duration>', 'how long one answer may take, from a pipe or with -m', '5m')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard connect weather\n  switchboard connect weather -m "weather in Paris?"\n  printf "weather in Paris?\\nand in Rome?\\n" | switchboard connect weather',
    )
    .action(async (name: string, options: Options) => {
      const timeoutMs = durationFlag('--timeout', options.timeout);
      const service = await cli.client().service(name);
      const interactive = options.message === undefined && process.stdin.isTTY;
      const prompt = interactive
        ? createInterface({ input: process.stdin, output: process.stderr, prompt: '> ' })
        : undefined;
      const conversation = converse(service.status.url + below(options.path), options.raw === true, {
        answer(text) {
          print(`${text}\n`);
          prompt?.prompt();
        },
        aside(text) {
          note(styleText('dim', text));
        },
      });
      await conversation.ready;
      if (prompt !== undefined) await typed(conversation, prompt);
      else if (options.message !== undefined) await conversation.ask(options.message, timeoutMs);
      else
        for await (const line of createInterface({ input: process.stdin }))
          if (line !== '') await conversation.ask(line, timeoutMs);
      conversation.close();
      const code = await conversation.closed;
      if (code !== 1000 && code !== 1005) note(`closed with ${code}`);
    });
}

/** Lines go as they are typed: one may interrupt the answer to another. Ends with the terminal or the agent. */
async function typed(conversation: Conversation, prompt: ReturnType<typeof createInterface>): Promise<void> {
  prompt.prompt();
  prompt.on('line', (line) => {
    if (line === '') prompt.prompt();
    else conversation.send(line);
  });
  const ended = new Promise((resolve) => prompt.once('close', resolve));
  await Promise.race([ended, conversation.closed]);
  prompt.close();
}
