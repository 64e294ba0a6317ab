/**
 * A configuration while it is typed: checked as YAML at once and by the API (a dry run) a moment later. What was typed is kept in this tab until it
 * is saved or thrown away: leaving the page, a reload or an error lose nothing.
 */
import { isError } from '../../../control-plane/src/model/errors.ts';
import type { WriteAnswer } from '../../../control-plane/src/api/types.ts';
import { parse, place, type Problem } from './document.ts';

const WAIT_MS = 350;

/** How it is sent; dry or in earnest. */
export type Put = (
  name: string,
  document: object,
  flags: { dryRun: boolean; expectRevision: number },
) => Promise<WriteAnswer>;

interface Kept {
  readonly text: string;
  /** What it was made from, and its revision. */
  readonly original: string;
  readonly revision: number;
}

export class Draft {
  text = $state('');
  original = $state('');
  /** The revision that the text was made from; 0: there is no such service yet. */
  revision = $state(0);
  /** The API's answer to a dry run of the text as it stands; undefined: not asked yet, or refused. */
  answer = $state.raw<WriteAnswer | undefined>(undefined);
  problems = $state.raw<readonly Problem[]>([]);
  /** A failure that is not about the text. */
  error = $state.raw<unknown>(undefined);
  checking = $state(false);
  saving = $state(false);
  readonly changed = $derived(this.text !== this.original);
  #key: string;
  #put: Put;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  /** `key` names the draft in the tab's storage. */
  constructor(key: string, original: string, revision: number, put: Put) {
    this.#put = put;
    this.#key = `switchboard.draft.${key}`;
    const kept = JSON.parse(sessionStorage.getItem(this.#key) ?? 'null') as Kept | null;
    this.original = kept?.original ?? original;
    this.text = kept?.text ?? original;
    this.revision = kept?.revision ?? revision;
    if (kept !== null) void this.check();
  }

  type(text: string): void {
    if (text === this.text) return;
    this.text = text;
    this.#keep();
    this.#forget();
    // A fault of the YAML itself shows with the key press; what only the API knows, after a pause.
    const { problems } = parse(text);
    if (problems.length > 0) this.problems = problems;
    this.#timer = setTimeout(() => void this.check(), WAIT_MS);
  }

  discard(original: string, revision: number): void {
    this.text = original;
    this.rebase(original, revision);
    this.#forget();
    this.problems = [];
  }

  /** Compares with what is there now, keeping what was typed. */
  rebase(original: string, revision: number): void {
    this.original = original;
    this.revision = revision;
    this.error = undefined;
    this.#keep();
    if (this.changed) void this.check();
  }

  /** undefined: it was not stored. What is typed meanwhile stays a draft. */
  async save(): Promise<WriteAnswer | undefined> {
    const { text } = this;
    this.#forget();
    this.saving = true;
    const answer = await this.#send(false);
    this.saving = false;
    if (answer === undefined) return undefined;
    this.rebase(text, answer.revision);
    return answer;
  }

  /** What the API says to the text as it stands, now; undefined: refused, or something else was typed meanwhile. */
  async check(): Promise<WriteAnswer | undefined> {
    clearTimeout(this.#timer);
    this.#turn += 1;
    const turn = this.#turn;
    this.checking = true;
    const answer = await this.#send(true, () => turn === this.#turn);
    if (turn !== this.#turn) return undefined;
    this.checking = false;
    this.answer = answer;
    return answer;
  }

  /** What was said, or is still to come, was about another text. */
  #forget(): void {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.checking = false;
    this.answer = undefined;
    this.error = undefined;
  }

  async #send(dryRun: boolean, current: () => boolean = () => true): Promise<WriteAnswer | undefined> {
    const parsed = parse(this.text);
    this.problems = parsed.problems;
    if (parsed.problems.length > 0) return undefined;
    const { value } = parsed;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problems = [
        {
          from: 0,
          to: Math.min(1, this.text.length),
          line: 1,
          path: '',
          message: 'must be a mapping with kind, name and spec',
        },
      ];
      return undefined;
    }
    const name = (value as { name?: unknown }).name;
    try {
      return await this.#put(typeof name === 'string' && name !== '' ? name : '_', value, {
        dryRun,
        expectRevision: this.revision,
      });
    } catch (error) {
      if (!current()) return undefined;
      if (isError(error, 'invalid') && error.issues.length > 0)
        this.problems = error.issues.map((issue) => place(parsed, issue));
      else this.error = error;
      return undefined;
    }
  }

  #keep(): void {
    const kept: Kept = { text: this.text, original: this.original, revision: this.revision };
    if (this.changed) sessionStorage.setItem(this.#key, JSON.stringify(kept));
    else sessionStorage.removeItem(this.#key);
  }
}
