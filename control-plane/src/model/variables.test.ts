import { expect, it } from 'vitest';
import { SETTING_VARIABLES, unknownVariables } from './variables.ts';

it('refuses a slip of the keys, with what may have been meant', () => {
  for (const [name, meant] of [
    ['GATEWAY_PROT', 'GATEWAY_PORT'],
    ['GATEWAYPORT', 'GATEWAY_PORT'],
    ['Gateway_Port', 'GATEWAY_PORT'],
    ['DTAA', 'DATA'],
    ['TOKN', 'TOKEN'],
    ['URI', 'URL'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['PLUGIN', 'PLUGINS'],
  ])
    expect(() => unknownVariables({ [`SWITCHBOARD_${name}`]: 'a-secret' }), name).toThrow(
      expect.objectContaining({
        code: 'invalid',
        message: `there is no environment variable SWITCHBOARD_${name}`,
        remedy: expect.stringMatching(`^Did you mean SWITCHBOARD_${meant}\\?`) as string,
      }),
    );
});

it('tells of others that it does not know', () => {
  expect(
    unknownVariables({ SWITCHBOARD_ADMISSION_WINDOW: '5s', SWITCHBOARD_EMPTY_ONE: '', HOME: '/', SWITCH: 'x' }),
  ).toEqual(['SWITCHBOARD_ADMISSION_WINDOW']);
  // Only an agent has it.
  expect(unknownVariables({ SWITCHBOARD_PORT: '9000' })).toEqual(['SWITCHBOARD_PORT']);
});

it('takes what is set by people, by the runtimes and by Kubernetes', () => {
  const set = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 'x']));
  expect(unknownVariables(set(Object.keys(SETTING_VARIABLES)))).toEqual([]);
  expect(unknownVariables(set(['SWITCHBOARD_PORT', 'SWITCHBOARD_INSTANCE', 'SWITCHBOARD_STOP_REASON']))).toEqual([]);
  expect(
    unknownVariables({
      SWITCHBOARD_SERVICE_HOST: '10.0.0.1',
      SWITCHBOARD_SERVICE_PORT: '8801',
      SWITCHBOARD_SERVICE_PORT_API: '8801',
      SWITCHBOARD_PORT_8801_TCP: 'tcp://10.0.0.1:8801',
      SWITCHBOARD_PORT_8801_TCP_PROTO: 'tcp',
      SWITCHBOARD_CONSOLE_PORT: 'tcp://10.0.0.1:8801',
      SWITCHBOARD_CONSOLE_SERVICE_HOST: '10.0.0.1',
    }),
  ).toEqual([]);
});
