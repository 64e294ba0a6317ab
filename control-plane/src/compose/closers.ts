/** What has been started, to be ended the other way round. */

export interface Closers {
  add(close: () => Promise<void> | void): void;
  /** Ends all, newest first. A second call ends what came since. */
  closeAll: () => Promise<void>;
}

export function createClosers(): Closers {
  const closers: (() => Promise<void> | void)[] = [];
  return {
    add(close) {
      closers.push(close);
    },
    async closeAll() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
