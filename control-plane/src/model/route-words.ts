/** Routes in words, for people. */
import type { PathMatch, Target } from './route.ts';

/** In words, such as `chat` or `chat 90 %, chat-next 10 %`. */
export function targetInWords(
  target: Target | { readonly words: readonly string[]; readonly service?: string },
): string {
  if ('words' in target) return `${target.service ?? 'any service'} with ${target.words.join(', ')}`;
  if ('split' in target) {
    const total = target.split.reduce((sum, { weight }) => sum + weight, 0);
    return target.split
      .map(({ service, weight }) => `${service} ${Math.round((1000 * weight) / total) / 10} %`)
      .join(', ');
  }
  if (!('tags' in target)) return target.service;
  const tags = Object.entries(target.tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return `${target.service ?? 'any service'} with ${tags}`;
}

export function pathInWords(path: PathMatch | undefined): string {
  if (path === undefined) return '*';
  const text =
    'exact' in path
      ? path.exact
      : 'prefix' in path
        ? `${path.prefix.replace(/\/+$/, '')}/...`
        : 'suffix' in path
          ? `...${path.suffix}`
          : 'contains' in path
            ? `...${path.contains}...`
            : `~ ${path.regex}`;
  return path.caseSensitive ? text : `${text} (any case)`;
}
