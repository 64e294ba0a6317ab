import { describe, expect, it } from 'vitest';
import { fillTemplate, templateSlips } from './template.ts';

const values = { port: '9100', host: '::1', instance: 'a-1', service: 'a', workdir: '/w' };

describe('a template', () => {
  it.each([
    ['--port={port}', '--port=9100'],
    ['{host}{instance}{service}{workdir}', '::1a-1a/w'],
    ['{"port":{port}}', '{"port":9100}'],
    ['{"a":{"b":{"c":{"port":{port}}}}}', '{"a":{"b":{"c":{"port":9100}}}}'],
    ['{{port}}', '{port}'],
    ['{"url":"http://{host}:{port}/{{instance}}"}', '{"url":"http://::1:9100/{instance}"}'],
    ['{{{port}}}', '{{port}}'],
  ])('is filled in: %s', (text, wanted) => {
    expect(fillTemplate(text, values)).toBe(wanted);
  });

  it.each([
    '{"a":{"b":{"c":1}}}',
    '{"tools":[{"name":"t","args":{"k":{}}}]}',
    '{{"mcpServers":{{}}}}',
    '{{ .Name }} {% raw %} {{name}} ${HOME} ${PATH:-{x}} \\d{3} {} {{}} }}{{ {a,b} {toString} {constructor}',
    '{ port } {Port} {"port"}',
  ])('leaves every other text as it is written: %s', (text) => {
    expect(fillTemplate(text, values)).toBe(text);
    expect(fillTemplate(text, {})).toBe(text);
  });

  it('that is a slip is told with what was meant, and nothing else', () => {
    const told = (text: string): string[] => templateSlips(text, 'x').map(({ message }) => message.split(':')[0] ?? '');
    expect(told('--port={prot} {PORT} {instances} {{ports}} ${PORT} {name} {3} {port} {"a":{"b":1}}')).toEqual([
      '{prot} is not known',
      '{PORT} is not known',
      '{instances} is not known',
    ]);
  });
});
