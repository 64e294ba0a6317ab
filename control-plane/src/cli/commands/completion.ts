import type { Command } from 'commander';
import { SwitchboardError } from '../../model/errors.ts';
import type { Cli } from '../command.ts';
import { print } from '../output.ts';

/** Completion of commands and flags, made from the program itself. */
export function completionScript(program: Command, shell: string): string {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    flags: command.options.flatMap((option) => (option.long === undefined ? [] : [option.long])),
    below: command.commands.map((one) => one.name()),
    about: command.summary(),
  }));
  switch (shell) {
    case 'bash': {
      const cases = commands
        .map(
          ({ name, flags, below }) =>
            `    ${name}) COMPREPLY=($(compgen -W "${[...below, ...flags].join(' ')}" -- "$cur")) ;;`,
        )
        .join('\n');
      return `_switchboard() {\n  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}\n  case $prev in --context|use|remove|show) COMPREPLY=($(compgen -W "$(\${COMP_WORDS[0]} context list -o name 2>/dev/null)" -- "$cur")); return ;; esac\n  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${commands.map((one) => one.name).join(' ')}" -- "$cur")); return; fi\n  case \${COMP_WORDS[1]} in\n${cases}\n  esac\n}\ncomplete -o default -F _switchboard switchboard\n`;
    }
    case 'zsh':
      return `#compdef switchboard\n_arguments '1:command:((${commands.map(({ name, about }) => `${name}\\:"${about.replace(/['"]/g, '')}"`).join(' ')}))' '*::file:_files'\n`;
    case 'fish':
      return [
        "complete -c switchboard -l context -x -a '(switchboard context list -o name 2>/dev/null)'",
        ...commands.flatMap(({ name, flags, below, about }) => [
          `complete -c switchboard -n __fish_use_subcommand -a ${name} -d '${about.replaceAll("'", '')}'`,
          ...below.map((one) => `complete -c switchboard -n '__fish_seen_subcommand_from ${name}' -a ${one}`),
          ...flags.map(
            (flag) => `complete -c switchboard -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`,
          ),
        ]),
      ]
        .join('\n')
        .concat('\n');
    default:
      throw new SwitchboardError('invalid', `there is no completion for ${shell}: use bash, zsh or fish`);
  }
}

export function completionCommand(cli: Cli): void {
  cli.program
    .command('completion <shell>')
    .summary('print a completion script for bash, zsh or fish')
    .addHelpText('after', '\nExample:\n  source <(switchboard completion bash)')
    .action((shell: string) => {
      print(completionScript(cli.program, shell));
    });
}
