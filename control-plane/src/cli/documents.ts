/** Resource files: one file, a folder of them, or standard input. They are sent as they are; the server checks them. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import { SwitchboardError, messageOf } from '../model/errors.ts';

const ENDINGS = new Set(['.yaml', '.yml', '.json']);

function parse(content: string, source: string): unknown[] {
  const found: unknown[] = [];
  for (const document of parseAllDocuments(content, { uniqueKeys: true })) {
    const [error] = document.errors;
    if (error !== undefined) throw new SwitchboardError('invalid', `${source}: ${error.message}`);
    const value: unknown = document.toJS();
    if (Array.isArray(value)) found.push(...(value as unknown[]));
    else if (value !== null) found.push(value);
  }
  return found;
}

function utf8(content: Buffer, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new SwitchboardError('invalid', `${source} is not valid UTF-8`);
  }
}

export async function readDocuments(files: readonly string[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const file of files) {
    if (file === '-') {
      found.push(...parse(await text(process.stdin), 'standard input'));
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
      for (const name of names) found.push(...parse(utf8(readFileSync(name), name), name));
    } catch (error) {
      if (error instanceof SwitchboardError) throw error;
      throw new SwitchboardError('invalid', `cannot read ${file}: ${messageOf(error)}`);
    }
    if (names.length === 0) throw new SwitchboardError('invalid', `${file} has no .yaml, .yml or .json file`);
  }
  return found;
}
