/** What ends sessions or deletes is said first, and done when somebody says yes: on the terminal, or beforehand with `--yes`. */
import { createInterface } from 'node:readline/promises';
import { SwitchboardError } from '../model/errors.ts';
import { EXIT, Exit } from './exit.ts';
import { note } from './output.ts';

/** `what` will happen. Errors: `invalid` where nobody can answer; Exit when the answer is no. */
export async function confirm(what: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new SwitchboardError('invalid', `nothing was changed: ${what}`, { remedy: 'Confirm it with --yes.' });
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(`${what}. Go on? [y/N] `);
  prompt.close();
  if (/^y(es)?$/i.test(answer.trim())) return;
  note('nothing was changed');
  throw new Exit(EXIT.failure);
}
