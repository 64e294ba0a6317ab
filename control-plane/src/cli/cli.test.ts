import { describe, expect, it } from 'vitest';
import { SwitchboardError } from '../model/errors.ts';
import { completionScript } from './commands/completion.ts';
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
    for (const command of program.commands) expect(command.summary(), command.name()).not.toBe('');
    for (const shell of ['bash', 'zsh', 'fish']) expect(completionScript(program, shell)).toContain('scale');
    expect(() => completionScript(program, 'tcsh')).toThrow('no completion');
  });

  it('tells what a write does to sessions', () => {
    expect(impactText({ endsNow: 0, drains: 0, instances: [] })).toBe('no open session is touched');
    expect(
      impactText({ endsNow: 2, drains: 0, instances: [{ id: 'a', service: 's', sessions: 2, reason: 'x' }] }),
    ).toContain('2 open sessions will end at once');
  });
});
