/** Resource files: one file, a folder of them, or standard input. They are sent as they are; the server checks them. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { parseDocuments } from '../model/document-text.ts';
import { SwitchboardError, isError, messageOf, type Issue } from '../model/errors.ts';

const ENDINGS = new Set(['.yaml', '.yml', '.json']);

export interface Documents {
  readonly all: readonly unknown[];
  /** Where each comes from, such as `services/chat.yaml, document 2 (Route beta)`. */
  readonly places: readonly string[];
}

function nameOf(document: unknown): string {
  if (typeof document !== 'object' || document === null) return '';
  const { kind, name } = document as { kind?: unknown; name?: unknown };
  return typeof kind === 'string' && typeof name === 'string' ? ` (${kind} ${name})` : '';
}

function parse(content: Buffer, source: string): Documents {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new SwitchboardError('invalid', `${source} is not valid UTF-8`);
  }
  try {
    const all = parseDocuments(text);
    return {
      all,
      places: all.map((one, index) => `${source}${all.length === 1 ? '' : `, document ${index + 1}`}${nameOf(one)}`),
    };
  } catch (error) {
    throw isError(error, 'invalid') ? new SwitchboardError('invalid', `${source}: ${error.message}`) : error;
  }
}

/** Errors: `invalid`, naming the file, with line and column where it is no YAML. */
export async function readDocuments(files: readonly string[]): Promise<Documents> {
  const found: Documents[] = [];
  for (const file of files) {
    if (file === '-') {
      found.push(parse(await buffer(process.stdin), 'standard input'));
      continue;
    }
    let names: string[];
    try {
      names = statSync(file).isDirectory()
        ? readdirSync(file)
            .filter((name) => ENDINGS.has(extname(name)))
            .sort()
            .map((name) => join(file, name))
        : [file];
      for (const name of names) found.push(parse(readFileSync(name), name));
    } catch (error) {
      if (error instanceof SwitchboardError) throw error;
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      throw new SwitchboardError(
        'invalid',
        `cannot read ${file}: ${missing ? 'there is no such file' : messageOf(error)}`,
      );
    }
    if (names.length === 0) throw new SwitchboardError('invalid', `${file} has no .yaml, .yml or .json file`);
  }
  return { all: found.flatMap(({ all }) => all), places: found.flatMap(({ places }) => places) };
}

const OF_DOCUMENT = /^(?:documents\.(\d+)\.?)?(.*)$/;

/** The server counts documents; whoever wrote them knows files. An error about something else comes back as it is. */
export function inTheirFiles(error: unknown, { places }: Documents): unknown {
  if (!isError(error, 'invalid') || error.issues.length === 0) return error;
  const told = error.issues.map(({ path, message }: Issue) => {
    const [, index, field = ''] = OF_DOCUMENT.exec(path) ?? [];
    const single = places.length === 1 && /^(kind|name|labels|spec)\b|^$/.test(path);
    const place = index === undefined ? (single ? places[0] : undefined) : places[Number(index)];
    return place === undefined ? undefined : [place, field, message].filter((part) => part !== '').join(': ');
  });
  if (told.includes(undefined)) return error;
  return new SwitchboardError('invalid', told.join('\n  '), {
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    cause: error,
  });
}
