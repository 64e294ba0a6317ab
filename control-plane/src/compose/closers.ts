/** What has been started, to be ended the other way round. */

type Close = () => Promise<void> | void;

export interface Closers {
  /** How a part is closed, or the part itself. */
  add(part: Close | { close(): Promise<void> | void }): void;
  /** Ends all, newest first. A second call ends what came since. */
  closeAll: () => Promise<void>;
}

export function createClosers(): Closers {
  const closers: Close[] = [];
  return {
    add(part) {
      closers.push(typeof part === 'function' ? part : () => part.close());
    },
    async closeAll() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
