/** Lines out of the bytes of a log, as a terminal would show them: of a line that was written over (CR) its last state, of a long one the start. */

export const LONGEST_LINE = 64 * 1024;
const [NEWLINE, RETURN] = [10, 13];

export class Lines {
  #kept = Buffer.alloc(0);
  /** Bytes of its present state, also those that are not kept. */
  #length = 0;
  /** The next text writes over it. */
  #returned = false;

  /** `onLine` gets the text of each whole line, and where in `bytes` the next one begins. */
  take(bytes: Buffer, onLine: (text: string, end: number) => void): void {
    let start = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, start)) {
      this.#add(bytes.subarray(start, newline));
      start = newline + 1;
      const text = this.text;
      this.reset();
      onLine(text, start);
    }
    this.#add(bytes.subarray(start));
  }

  /** The line that has no end yet; empty: there is none. */
  get text(): string {
    // As a stream: a character that was cut in two is left out, not shown as broken.
    const text = new TextDecoder().decode(this.#kept, { stream: this.#length > this.#kept.length });
    return this.#length > this.#kept.length ? `${text} … (${this.#length} bytes in all)` : text;
  }

  reset(): void {
    this.#kept = Buffer.alloc(0);
    this.#length = 0;
    this.#returned = false;
  }

  #add(bytes: Buffer): void {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === RETURN) end -= 1;
    if (end > 0) {
      const start = bytes.subarray(0, end).lastIndexOf(RETURN) + 1;
      if (start > 0 || this.#returned) this.reset();
      const room = LONGEST_LINE - this.#kept.length;
      if (room > 0) this.#kept = Buffer.concat([this.#kept, bytes.subarray(start, Math.min(end, start + room))]);
      this.#length += end - start;
    }
    if (end < bytes.length) this.#returned = true;
  }
}
