/** What `up` says when all runs: where it is, and what to do next with what there is. */
import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ServiceView } from '../api/types.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Greeting {
  readonly clients: string;
  readonly console: string;
  /** The token's file, or a link that signs in once. */
  readonly signIn: { readonly file: string } | { readonly link: string; readonly minutes: number };
  readonly services: readonly Pick<ServiceView, 'name' | 'spec' | 'status'>[];
  /** How a command begins here. */
  readonly command: string;
  readonly stop: string;
}

/** What a person would try first; undefined: nothing runs that could be talked to. */
function nextStep({ services, command }: Greeting): string {
  const ready = services.filter(({ status }) => status.state === 'ready');
  const talks = ready.find(({ spec }) => spec.probe.type === 'myagent') ?? ready[0];
  if (talks !== undefined) return `${command} connect ${talks.name}   (from another terminal)`;
  const [first] = services;
  return first === undefined
    ? `${command} apply -f my-agent.yaml --ready   (as in deploy/examples/my-agent.yaml: no service is there yet)`
    : `${command} get services -w   (${first.name} is ${first.status.state}: ${first.status.message})`;
}

export function greeting(of: Greeting): string {
  const { signIn } = of;
  const lines = [
    ['clients', `${of.clients}/agents/<service>`],
    ...('link' in signIn
      ? [['console', `${signIn.link}   (signs in once, for ${signIn.minutes} minutes)`]]
      : [['console', `${of.console}   (token: ${signIn.file})`]]),
    ['try', nextStep(of)],
    ['stop', `${of.stop}   (Ctrl-C ends the control plane alone: agents and sessions go on)`],
  ];
  return `\nSwitchboard is running.\n${lines.map(([what = '', is = '']) => `  ${what.padEnd(12)}${is}\n`).join('')}`;
}

/** How commands and the stop are typed where this was started: through npm, or by its own name. */
export function waysToType(environment: Environment, data: string | undefined): Pick<Greeting, 'command' | 'stop'> {
  const npm = environment['npm_lifecycle_event'] !== undefined;
  const folder = data === undefined ? '' : ` --data ${/^[\w./-]+$/.test(data) ? data : `'${data}'`}`;
  const command = `${npm ? 'npm run switchboard --' : 'switchboard'}${folder}`;
  return { command, stop: npm && folder === '' ? 'npm stop' : `${command} down` };
}

function isOnPath(name: string, environment: Environment, repository: string): boolean {
  return (environment['PATH'] ?? '').split(delimiter).some((folder) => {
    if (folder === '' || folder.startsWith(repository)) return false;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** How to type `switchboard` alone: said once in an installation, to who types it through npm. Undefined: not now. */
export function offerCommand(environment: Environment, data: string): string | undefined {
  const repository = environment['SWITCHBOARD_REPOSITORY'];
  const told = join(data, '.told-of-command');
  if (repository === undefined || environment['npm_lifecycle_event'] === undefined || existsSync(told))
    return undefined;
  if (isOnPath('switchboard', environment, repository)) return undefined;
  writeFileSync(told, '');
  const quote = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  return (
    '  To type `switchboard` alone, with completion (this is said once):\n' +
    `    ln -s ${quote(join(repository, 'deploy/setup/switchboard.mjs'))} ~/.local/bin/switchboard   (or another folder of your PATH)\n` +
    '    source <(switchboard completion bash)   (in ~/.bashrc; zsh and fish: `switchboard completion --help`)\n'
  );
}
