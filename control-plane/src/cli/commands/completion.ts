/** Completion for three shells: each asks the program itself what may come next, so that names of services and instances are among it. */
import { SwitchboardError } from '../../model/errors.ts';
import { createCli, type Cli } from '../command.ts';
import { namesOf, whatIsWanted, type Candidate } from '../completion.ts';
import { contextsFile, readContexts } from '../contexts.ts';
import { print } from '../output.ts';
import { environment } from '../settings.ts';

/** Who types waits for it. */
const LONGEST_MS = 2_000;

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_switchboard() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _switchboard switchboard
`,
  zsh: `#compdef switchboard
_switchboard() {
  local line
  local -a names shown
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n "$line" ]] || continue
    names+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  if (( \${#names} )); then compadd -l -d shown -a names; else _files; fi
}
compdef _switchboard switchboard
if [[ "\${funcstack[1]}" = _switchboard ]]; then _switchboard "$@"; fi
`,
  fish: `function __switchboard_complete
    set -l words (commandline -opc) (commandline -ct)
    set -g __switchboard_found ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    test (count $__switchboard_found) -gt 0
end
complete -c switchboard -n __switchboard_complete -f -a '$__switchboard_found'
`,
};

export function completionScript(shell: string): string {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined)
    throw new SwitchboardError('invalid', `there is no completion for ${shell}: use bash, zsh or fish`);
  return script;
}

async function candidates(cli: Cli, words: readonly string[]): Promise<readonly Candidate[]> {
  const { wanted, global } = whatIsWanted(cli.program, words);
  if (wanted.kind === 'words') return wanted.words;
  if (wanted.kind === 'file') return [];
  if (wanted.kind === 'context')
    return [...readContexts(contextsFile(environment)).all.keys()].map((text) => ({ text }));
  for (const [name, value] of Object.entries(global)) cli.program.setOptionValue(name, value);
  return namesOf(createCli(cli.program).client(), wanted.kind, wanted.of);
}

export function completionCommand(cli: Cli): void {
  cli.program
    .command('completion <shell>')
    .summary('print a completion script for bash, zsh or fish')
    .description(
      'Completes commands, options, and names of services, instances, routes, gateways, sessions and versions.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  source <(switchboard completion bash)    # in ~/.bashrc; in ~/.zshrc the same with zsh\n  switchboard completion fish > ~/.config/fish/completions/switchboard.fish',
    )
    .action((shell: string) => {
      print(completionScript(shell));
    });
  cli.program
    .command('__complete', { hidden: true })
    .summary('what may come next on a command line, for the scripts of `completion`')
    .argument('[words...]')
    .action(async (words: string[]) => {
      const limit = setTimeout(() => process.exit(0), LONGEST_MS);
      try {
        const current = words.at(-1) ?? '';
        const found = (await candidates(cli, words)).filter(({ text }) => text.startsWith(current));
        // One line each: what is told beside it may be a user's own text.
        print(found.map(({ text, about = '' }) => `${text}\t${about.replaceAll(/\s+/g, ' ')}\n`).join(''));
      } catch {
        // Nobody to ask, or nothing there: nothing is offered, and the line that is typed stays as it is.
      } finally {
        clearTimeout(limit);
      }
    });
}
