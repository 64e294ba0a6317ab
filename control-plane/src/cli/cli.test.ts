import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { SwitchboardError } from '../model/errors.ts';
import { completionScript } from './commands/completion.ts';
import { whatIsWanted } from './completion.ts';
import { exitCodeOf, tellError } from './exit.ts';
import { impactText } from './impact.ts';
import { format, table } from './output.ts';
import { createProgram } from './program.ts';

describe('tables', () => {
  it('align, also with wide characters', () => {
    const text = table(
      [
        ['天气', 'x'],
        ['weather', 'y'],
      ],
      [
        { title: 'a', cell: (row) => row[0] ?? '' },
        { title: 'b', cell: (row) => row[1] ?? '' },
      ],
    );
    expect(text).toBe('A         B\n天气      x\nweather   y\n');
  });

  it('are machine readable on request', () => {
    const columns = [{ title: 'n', cell: (one: { n: number }) => String(one.n) }];
    expect(JSON.parse(format([{ n: 1 }], columns, (one) => `i/${one.n}`, 'json'))).toEqual([{ n: 1 }]);
    expect(format([{ n: 1 }], columns, (one) => `i/${one.n}`, 'name')).toBe('i/1\n');
  });
});

describe('errors', () => {
  it('have exit codes, fields and remedies', () => {
    const error = new SwitchboardError('invalid', 'the document is not valid', {
      issues: [{ path: 'spec.launch', message: 'is required' }],
      remedy: 'Add it.',
    });
    expect(exitCodeOf(error)).toBe(2);
    expect(tellError(error)).toBe('error: the document is not valid\n  spec.launch: is required\n  remedy: Add it.\n');
    expect(exitCodeOf(new SwitchboardError('not_found', ''))).toBe(3);
    expect(exitCodeOf(new SwitchboardError('precondition_failed', ''))).toBe(5);
    expect(exitCodeOf(new Error('x'))).toBe(1);
  });
});

describe('the program', () => {
  it('has help for every command, and completion for every shell', () => {
    const program = createProgram();
    for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
      if (command.name().startsWith('__')) continue;
      expect([command.summary(), command.description()], command.name()).not.toContain('');
    }
    for (const shell of ['bash', 'zsh', 'fish']) expect(completionScript(shell)).toContain('__complete');
    expect(() => completionScript('tcsh')).toThrow('no completion');
  });

  /** What it writes to standard output and error. */
  async function run(...line: string[]): Promise<{ out: string; err: string }> {
    const said = { out: '', err: '' };
    const program = createProgram();
    for (const one of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
      one.configureOutput({ writeOut: (text) => (said.out += text), writeErr: (text) => (said.err += text) });
    await program.parseAsync(line, { from: 'user' }).catch((error: unknown) => {
      if (!(error instanceof CommanderError)) throw error;
    });
    return said;
  }

  it.each([
    [['help', 'nix'], "error: unknown command 'nix'\n(add --help for more)\n"],
    [['help', 'rollot'], "error: unknown command 'rollot'\n(Did you mean rollout?)\n(add --help for more)\n"],
    [['help', 'rollout', 'statsu'], "error: unknown command 'statsu'\n(Did you mean status?)\n(add --help for more)\n"],
    [['gateway', 'help', 'stauts'], "error: unknown command 'stauts'\n(Did you mean status?)\n(add --help for more)\n"],
    [['help', 'apply', 'x'], "error: unknown command 'x'\n(add --help for more)\n"],
  ])('help of what there is not is an error: %j', async (line, err) => {
    expect(await run(...line)).toEqual({ out: '', err });
  });

  it('help of a command is what --help shows', async () => {
    for (const line of [[], ['apply'], ['rollout'], ['rollout', 'status'], ['events']]) {
      const asked = await run('help', ...line);
      expect(asked).toEqual({ out: expect.stringContaining('Usage: switchboard') as string, err: '' });
      expect(asked).toEqual(await run(...line, '--help'));
    }
    expect(await run('rollout', 'help', 'undo')).toEqual(await run('rollout', 'undo', '--help'));
  });

  it('tells what a write does to sessions', () => {
    expect(impactText({ endsNow: 0, drains: 0, instances: [] })).toBe('no open session is touched');
    expect(
      impactText({ endsNow: 2, drains: 0, instances: [{ id: 'a', service: 's', sessions: 2, reason: 'x' }] }),
    ).toContain('2 open sessions will end at once');
    const at = { id: 'b', service: 's', sessions: 1, reason: 'x', deadline: '2026-01-01T01:00:00.000Z' };
    const whenever = { id: 'c', service: 's', sessions: 3, reason: 'x', waitsFor: 'promotion' as const };
    expect(impactText({ endsNow: 0, drains: 4, instances: [at, whenever] })).toBe(
      '2 instances will go; 1 open session may go on until 2026-01-01T01:00:00.000Z at the soonest; 3 open sessions may go on until somebody promotes or resumes the rollout',
    );
  });
});

describe('completion', () => {
  const program = createProgram();
  const wanted = (line: string) => whatIsWanted(program, line.split(' ')).wanted;
  const words = (line: string): readonly string[] => {
    const found = wanted(line);
    return found.kind === 'words' ? found.words.map(({ text }) => text) : [found.kind];
  };

  it.each([
    ['', ['up', 'status', 'apply', 'rollout', 'top']],
    ['rollout ', ['status', 'promote', 'undo']],
    ['get ', ['services', 'instances', 'versions']],
    ['top --', ['--sort', '--instances', '--context']],
    ['rollout undo --', ['--to', '--dry-run', '--url']],
    ['top --sort ', ['cpu', 'sessions']],
    ['get services -o ', ['table', 'json']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['help ', ['rollout', 'apply', 'help']],
    ['help rollout ', ['status', 'promote']],
    ['gateway config gateway-1 ', ['cds', 'lds']],
  ])('of `%s`', (line, some) => {
    expect(words(line)).toEqual(expect.arrayContaining(some));
  });

  it.each([
    ['rollout status ', { kind: 'service' }],
    ['scale ', { kind: 'service' }],
    ['scale weather ', { kind: 'words', words: [] }],
    ['logs -f ', { kind: 'running' }],
    ['get instance ', { kind: 'instance' }],
    ['get services --service ', { kind: 'service' }],
    ['sessions --instance ', { kind: 'instance' }],
    ['delete route ', { kind: 'route' }],
    ['end ', { kind: 'session' }],
    ['gateway status ', { kind: 'gateway' }],
    ['drain version weather ', { kind: 'version', of: 'weather' }],
    ['drain instance x ', { kind: 'words', words: [] }],
    ['rollout diff weather 1 ', { kind: 'version', of: 'weather' }],
    ['rollout undo weather --to ', { kind: 'version', of: 'weather' }],
    ['context use ', { kind: 'context' }],
    ['--context ', { kind: 'context' }],
    ['apply -f ', { kind: 'file' }],
    ['run --service a -- python ', { kind: 'file' }],
  ])('asks for names where they belong: `%s`', (line, expected) => {
    expect(wanted(line)).toEqual(expected);
  });

  it('asks the installation that the line names', () => {
    expect(whatIsWanted(program, ['--context', 'east', 'logs', 'w']).global).toEqual({ context: 'east' });
  });
});
