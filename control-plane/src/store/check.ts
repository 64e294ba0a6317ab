/** What every driver refuses alike: bad keys, values that JSON does not carry, values too large. */
import { SwitchboardError } from '../model/errors.ts';
import type { Change, Json } from './store.ts';

const LONGEST_KEY = 512;
const LARGEST_VALUE = 1024 * 1024;

/** Throws `invalid` or `too_large`; gives the value's JSON text. */
export function checkedText(change: Change): string {
  const { key } = change;
  if (key === '' || key.length > LONGEST_KEY || !key.isWellFormed())
    throw new SwitchboardError(
      'invalid',
      `a key must have 1 to ${LONGEST_KEY} characters: ${JSON.stringify(key.slice(0, 80))}`,
    );
  if (change.op === 'delete') return '';
  checkJson(change.value, key);
  const text = JSON.stringify(change.value);
  if (text.length > LARGEST_VALUE)
    throw new SwitchboardError('too_large', `the value of ${key} is larger than ${LARGEST_VALUE} characters`);
  return text;
}

function checkJson(value: unknown, path: string): asserts value is Json {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new SwitchboardError('invalid', `${path} is not valid Unicode`);
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new SwitchboardError('invalid', `${path} is not a finite number`);
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkJson(item, `${path}[${index}]`);
    return;
  }
  if (
    typeof value === 'object' &&
    (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  ) {
    for (const [name, item] of Object.entries(value)) checkJson(item, `${path}.${name}`);
    return;
  }
  throw new SwitchboardError('invalid', `${path} is not JSON: ${typeof value}`);
}

export function checkChanges(changes: readonly Change[]): string[] {
  if (changes.length === 0) throw new SwitchboardError('invalid', 'a commit needs at least one change');
  const keys = new Set(changes.map((change) => change.key));
  if (keys.size !== changes.length) throw new SwitchboardError('invalid', 'a commit names a key twice');
  return changes.map(checkedText);
}

export function lostRace(what: readonly string[]): SwitchboardError {
  return new SwitchboardError('precondition_failed', `changed meanwhile: ${what.join(', ')}`, {
    issues: what.map((path) => ({ path, message: 'is not at the expected revision' })),
  });
}
