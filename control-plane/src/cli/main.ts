/** `switchboard`: parses the command line, runs the command, ends with its exit code. */
import { CommanderError } from 'commander';
import { EXIT, exitCodeOf, tellError } from './exit.ts';
import { note } from './output.ts';
import { createProgram } from './program.ts';

// A reader that goes away (| head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});

try {
  await createProgram().parseAsync();
} catch (error) {
  // Commander has told its own errors already; help and version are none.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else {
    const told = tellError(error);
    if (told !== '') note(told.trimEnd());
    process.exitCode = exitCodeOf(error);
  }
}
