/**
 * Why a program can't be started, found before the start: the kernel says no more than ENOENT, which names the script where its interpreter is what
 * is missing, and leaves other kinds of program to a shell that prints nonsense.
 */
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import { arch, endianness } from 'node:os';
import { basename, delimiter, dirname, isAbsolute, join, resolve } from 'node:path';

/** The kernel looks at so much of a first line. */
const LONGEST_FIRST_LINE = 255;
/** Scripts that are interpreted by scripts: the kernel follows four. */
const DEEPEST = 4;
const HEAD_BYTES = 4096;

/** Bytes 18 and 19 of an ELF file, by the name that Node has for the machine. */
const MACHINES: Readonly<Record<string, number>> = {
  ia32: 3,
  arm: 40,
  x64: 62,
  arm64: 183,
  riscv64: 243,
  ppc64: 21,
  s390x: 22,
  loong64: 258,
};
/** A program header of an ELF file that names its loader. */
const PT_INTERP = 3;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'error';

/** The first folder on the way to `path` that can't be entered, or `path` itself. */
function closed(path: string): string {
  for (const parent of parentsOf(path)) {
    try {
      accessSync(parent, constants.X_OK);
    } catch {
      return parent;
    }
  }
  return path;
}

/** Outermost first. */
function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...parentsOf(parent), parent];
}

/** Where a link that leads nowhere would lead. */
function linkedTo(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Why nothing can be done with what is at `path`; undefined: it is there. Without subject: `is not there`. */
function notThere(path: string): string | undefined {
  try {
    statSync(path);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EACCES') return `is out of reach: ${closed(path)} may not be entered`;
    const link = linkedTo(path);
    if (link !== undefined)
      return code === 'ELOOP' ? 'is a link that leads to itself' : `is a link to ${link}, which is not there`;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'is not there' : `can not be looked at (${code})`;
  }
}

/** Why an agent can't run in this folder; undefined: it can. */
export function folderProblem(path: string): string | undefined {
  const absent = notThere(path);
  if (absent !== undefined)
    return absent === 'is not there' ? `there is no folder ${path}` : `the folder ${path} ${absent}`;
  if (!statSync(path).isDirectory()) return `${path} is no folder`;
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return `permission denied: the folder ${path} may not be entered`;
  }
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

interface Surroundings {
  readonly cwd: string;
  /** PATH. */
  readonly path: string | undefined;
}

/** Why a program can't be started, without subject at its front where it is the program itself; undefined: nothing speaks against it. */
export function programProblem(program: string, { cwd, path }: Surroundings): string | undefined {
  if (program.includes('/'))
    return fileProblem(isAbsolute(program) ? program : resolve(cwd, program), { cwd, path }, 0);
  const candidates = (path ?? '').split(delimiter).map((folder) => resolve(cwd, join(folder, program)));
  const found =
    candidates.find(isExecutableFile) ??
    candidates.find((candidate) => notThere(candidate) === undefined && statSync(candidate).isFile());
  return found === undefined
    ? `command not found: ${program} is in no folder of PATH (${path ?? 'which is not set'})`
    : fileProblem(found, { cwd, path }, 0);
}

function fileProblem(file: string, surroundings: Surroundings, depth: number): string | undefined {
  const absent = notThere(file);
  if (absent !== undefined) return `command not found: ${file} ${absent}`;
  const status = statSync(file);
  if (status.isDirectory()) return `${file} is a folder, not a program`;
  if (!status.isFile()) return `${file} is no file`;
  try {
    accessSync(file, constants.X_OK);
  } catch {
    return `permission denied: ${file} is not executable (chmod +x ${file})`;
  }
  const head = headOf(file);
  if (head === undefined) return undefined;
  if (head.subarray(0, 4).equals(ELF)) return elfProblem(file, head);
  if (head.subarray(0, 2).toString('latin1') === '#!') return scriptProblem(file, head, surroundings, depth);
  return undefined;
}

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/** Undefined: it may be run, but not read. */
function headOf(file: string): Buffer | undefined {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(handle, head, 0, HEAD_BYTES, 0));
  } catch {
    return undefined;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

function scriptProblem(file: string, head: Buffer, surroundings: Surroundings, depth: number): string | undefined {
  const text = head.toString('utf8');
  const end = text.indexOf('\n');
  const line = text.slice(2, end < 0 ? undefined : end);
  const [, interpreter = '', rest = ''] = /^[ \t]*([^ \t]*)[ \t]*(.*)$/s.exec(line) ?? [];
  const where = `first line of ${file}`;
  if (interpreter === '') return undefined;
  if (line.endsWith('\r'))
    return `the ${where} ends with a carriage return, as files from Windows do, so that its interpreter would be ${JSON.stringify(`${interpreter}${rest === '' ? '' : ` ${rest}`}`)}: give the file line ends of Unix (sed -i 's/\\r$//' ${file})`;
  if (2 + interpreter.length > LONGEST_FIRST_LINE)
    return `the ${where} is longer than the ${LONGEST_FIRST_LINE} bytes that the kernel takes`;
  const own = notThere(resolve(surroundings.cwd, interpreter));
  if (own !== undefined)
    return `its interpreter ${interpreter} ${own} (${where})${interpreter.includes('venv') ? ': a virtual environment that was moved or copied is to be made anew' : ''}`;
  const deeper =
    depth >= DEEPEST ? undefined : fileProblem(resolve(surroundings.cwd, interpreter), surroundings, depth + 1);
  if (deeper !== undefined) return `its interpreter can not be started: ${deeper} (${where})`;
  if (basename(interpreter) === 'env') return envProblem(rest.trim(), where, surroundings);
  return undefined;
}

/** `/usr/bin/env python3`: the kernel hands over all that follows as one word, which `-S` takes apart. */
function envProblem(rest: string, where: string, surroundings: Surroundings): string | undefined {
  const split = /^(?:-S|--split-string=?)\s*(.*)$/s.exec(rest);
  const words = (split?.[1] ?? rest).split(/\s+/).filter((word) => !/^[A-Za-z_]\w*=/.test(word));
  const [program = ''] = words;
  // With options of its own the environment is another one.
  if (program === '' || program.startsWith('-')) return undefined;
  if (split === null && words.length > 1)
    return `env is given ${JSON.stringify(rest)} as the name of one program (${where}): write \`env -S ${rest}\``;
  const problem = programProblem(program, surroundings);
  return problem === undefined ? undefined : `its interpreter can not be started: ${problem} (${where})`;
}

/** Whether the kernel has been told of programs that run what it can't run itself. */
function hasEmulators(): boolean {
  try {
    return readdirSync('/proc/sys/fs/binfmt_misc').some((name) => name !== 'register' && name !== 'status');
  } catch {
    return false;
  }
}

function elfProblem(file: string, head: Buffer): string | undefined {
  const [is64, isLittle] = [head[4] === 2, head[5] === 1];
  const u16 = (at: number): number => (isLittle ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const u32 = (at: number): number => (isLittle ? head.readUInt32LE(at) : head.readUInt32BE(at));
  const offset = (at: number): number =>
    is64 ? Number(isLittle ? head.readBigUInt64LE(at) : head.readBigUInt64BE(at)) : u32(at);
  if (process.platform !== 'linux') return `${file} is a program for another system`;
  if (head.length < 64) return `${file} is cut off: it has ${head.length} bytes`;
  const [machine, own] = [u16(18), MACHINES[arch()]];
  const isOther = isLittle !== (endianness() === 'LE') || (own !== undefined && machine !== own);
  const runsToo = (arch() === 'x64' && machine === MACHINES['ia32']) || hasEmulators();
  if (isOther && !runsToo) {
    const name = Object.keys(MACHINES).find((one) => MACHINES[one] === machine) ?? `kind ${machine}`;
    return `${file} is a program for another processor (${name}; this machine is ${arch()})`;
  }
  const [table, size, count] = [offset(is64 ? 32 : 28), u16(is64 ? 54 : 42), u16(is64 ? 56 : 44)];
  for (let index = 0; index < count; index += 1) {
    const entry = table + index * size;
    if (entry + size > head.length) return undefined;
    if (u32(entry) !== PT_INTERP) continue;
    const [start, length] = [offset(entry + (is64 ? 8 : 4)), offset(entry + (is64 ? 32 : 16))];
    if (length < 2 || start + length > head.length) return undefined;
    const loader = head.toString('utf8', start, start + length - 1);
    const absent = notThere(loader);
    return absent === undefined
      ? undefined
      : `its loader ${loader} ${absent}: ${file} was built for another kind of Linux`;
  }
  return undefined;
}
