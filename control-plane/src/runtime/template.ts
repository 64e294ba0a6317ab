/** Replaces `{port}`, `{host}`, `{instance}`, `{service}` and `{workdir}` in a launch specification; `{{` and `}}` stand for braces. */
import type { Issue } from '../model/errors.ts';

export const TEMPLATE_NAMES = ['port', 'host', 'instance', 'service', 'workdir'] as const;
export type TemplateValues = Readonly<Record<(typeof TEMPLATE_NAMES)[number], string>>;

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}/g;

/** Names in braces that are no template. JSON in an argument has braces too, so only a plain word counts. */
export function templateIssues(text: string, path: string): Issue[] {
  const issues: Issue[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const name = match[1];
    if (name === undefined || !/^\w+$/.test(name) || (TEMPLATE_NAMES as readonly string[]).includes(name)) continue;
    issues.push({
      path,
      message: `{${name}} is not known: use ${TEMPLATE_NAMES.map((one) => `{${one}}`).join(', ')}, or {{ and }} for braces`,
    });
  }
  return issues;
}

export function fillTemplate(text: string, values: TemplateValues): string {
  return text.replace(TOKEN, (whole, name?: string) => {
    if (whole === '{{') return '{';
    if (whole === '}}') return '}';
    return name !== undefined && name in values ? values[name as keyof TemplateValues] : whole;
  });
}
