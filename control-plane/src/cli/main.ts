/** The command line's entry: `node control-plane/src/cli/main.ts COMMAND ...`. */
import { runProgram } from './program.ts';

// A reader that has had enough, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
process.exitCode = await runProgram(process.argv.slice(2));
