/**
 * `{port}`, `{host}`, `{instance}`, `{service}` and `{workdir}` in what is started or called for an instance. Every other text stays as it is written,
 * however deep its braces are: JSON, shell variables, patterns. `{{port}}` stands for the text `{port}`.
 */
import type { Issue } from './errors.ts';
import { similar } from './similar.ts';

export const TEMPLATE_NAMES = ['port', 'host', 'instance', 'service', 'workdir'] as const;
export type TemplateValues = Readonly<Record<(typeof TEMPLATE_NAMES)[number], string>>;

const TOKEN = /\{\{(\w+)\}\}|\{(\w+)\}/g;

export function fillTemplate(text: string, values: Readonly<Partial<TemplateValues>>): string {
  const has = (name: string | undefined): name is keyof TemplateValues =>
    name !== undefined && Object.hasOwn(values, name);
  return text.replace(TOKEN, (whole, plain?: string, name?: string) => {
    if (has(plain)) return `{${plain}}`;
    return has(name) ? (values[name] ?? whole) : whole;
  });
}

const LIST = TEMPLATE_NAMES.map((one) => `{${one}}`).join(', ');

/** Slips of the names above. Not in variables, whose texts are everything that there is. A shell's `${PORT}` is none. */
export function templateSlips(text: string, path: string): Issue[] {
  return [...text.matchAll(/(?<![${])\{(\w+)\}/g)].flatMap(([, name = '']) => {
    const meant = similar(name, TEMPLATE_NAMES);
    if (meant === undefined || meant === name) return [];
    const message = `{${name}} is not known: use {${meant}} (there are ${LIST}); a text that is to have {${name}} in it can come as a variable of spec.launch.env`;
    return [{ path, message }];
  });
}
