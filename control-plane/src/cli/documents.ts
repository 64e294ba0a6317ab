/**
 * Resource files: YAML with several documents, or JSON; a folder means its .yaml, .yml and .json files by name; `-` is stdin.
 * Each document remembers where it stands, so that an error can say so.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { LineCounter, parseAllDocuments } from 'yaml';
import { SwitchboardError, isError, messageOf, type Issue } from '../model/errors.ts';

export interface SourceDocument {
  readonly value: unknown;
  /** `agents.yaml:12` */
  readonly place: string;
}

const EXTENSIONS = ['.yaml', '.yml', '.json'];

/** Throws `invalid` with file, line and column. JSON is YAML. A list is taken as its entries. Empty documents are passed over. */
export function parseDocuments(source: string, file: string): SourceDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(source, { lineCounter: lines });
  const documents = 'empty' in parsed ? [] : parsed;
  const found: SourceDocument[] = [];
  const issues: Issue[] = [];
  for (const document of documents) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0]);
      issues.push({ path: `${file}:${line}:${col}`, message: error.message.split(' at line ')[0] ?? error.message });
    }
    if (document.errors.length > 0) continue;
    const value: unknown = document.toJS();
    const { line } = lines.linePos(document.contents?.range?.[0] ?? document.range[0]);
    const place = `${file}:${line}`;
    if (Array.isArray(value)) found.push(...value.map((one: unknown) => ({ value: one, place })));
    else if (value !== null && value !== undefined) found.push({ value, place });
  }
  if (issues.length > 0) throw new SwitchboardError('invalid', `${file} is not valid YAML`, { issues });
  return found;
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .filter((name) => EXTENSIONS.includes(extname(name)))
      .sort()
      .map((name) => join(path, name));
  } catch (cause) {
    throw new SwitchboardError('not_found', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** All documents of all the files, in order. Error: `not_found` for a file that can't be read, `invalid` if there is none. */
export async function readDocuments(paths: readonly string[]): Promise<SourceDocument[]> {
  const documents: SourceDocument[] = [];
  for (const path of paths) {
    if (path === '-') {
      documents.push(...parseDocuments(await text(process.stdin), 'stdin'));
      continue;
    }
    for (const file of filesOf(path)) {
      let source: string;
      try {
        source = readFileSync(file, 'utf8');
      } catch (cause) {
        throw new SwitchboardError('not_found', `cannot read ${file}: ${messageOf(cause)}`, { cause });
      }
      documents.push(...parseDocuments(source, file));
    }
  }
  if (documents.length === 0)
    throw new SwitchboardError('invalid', `there is no document in ${paths.join(', ')}`, {
      remedy: 'A document starts with `kind: Service` or `kind: Route`.',
    });
  return documents;
}

/** The server names documents by their index; people know files and lines. */
export function withPlaces(error: unknown, documents: readonly SourceDocument[]): unknown {
  if (!isError(error, 'invalid')) return error;
  const issues = error.issues.map((issue) => {
    const several = /^documents\.(\d+)\.?/.exec(issue.path);
    const index = several === null ? 0 : Number(several[1]);
    const path = several === null ? issue.path : issue.path.slice(several[0].length);
    const place = documents[index]?.place;
    return place === undefined ? issue : { path: `${place}: ${path}`, message: issue.message };
  });
  return new SwitchboardError('invalid', error.message, {
    issues,
    cause: error,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  });
}
