/**
 * What every command is given: the terminal, the settings, a client, the clock, and the exit code that the program ends with.
 * One value, made once for each run.
 */
import type { Command } from 'commander';
import { createClient, type ApiClient } from '../api/client.ts';
import { EXIT } from './exit.ts';
import { readSettings, type CliSettings, type GlobalOptions } from './settings.ts';
import { createTerminal, type Terminal } from './terminal.ts';

export interface Cli {
  readonly terminal: Terminal;
  readonly now: () => number;
  settings(): CliSettings;
  client(): ApiClient;
  /** What the program ends with unless an error says otherwise. */
  exitCode: number;
  /**
   * Takes ^C, SIGTERM and SIGHUP over for a command with something to end; until then ^C ends the program with 130.
   * The returned function gives them back.
   */
  onSignal(handle: (signal: NodeJS.Signals) => void): () => void;
}

/** Adds one command; each file in commands/ exports one. */
export type AddCommand = (program: Command, cli: Cli) => void;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function createCli(options: () => GlobalOptions): Cli {
  let settings: CliSettings | undefined;
  let client: ApiClient | undefined;
  const interrupt = (): never => process.exit(EXIT.interrupted);
  process.on('SIGINT', interrupt);
  return {
    terminal: createTerminal(),
    now: () => Date.now(),
    settings: () => (settings ??= readSettings(options())),
    client() {
      const { url, token } = this.settings();
      return (client ??= createClient({ url, token }));
    },
    exitCode: EXIT.ok,
    onSignal(handle) {
      process.off('SIGINT', interrupt);
      for (const signal of SIGNALS) process.on(signal, handle);
      return () => {
        for (const signal of SIGNALS) process.off(signal, handle);
        process.on('SIGINT', interrupt);
      };
    },
  };
}
