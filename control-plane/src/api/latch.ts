/** Lets one loop wait for news. A wake that comes while nobody waits is kept, so that none is lost between two waits. */
export interface Latch {
  readonly wake: () => void;
  /** Resolves at the next wake, or at once if there was one since the last wait. */
  readonly wait: () => Promise<void>;
}

export function createLatch(): Latch {
  let news = Promise.withResolvers<undefined>();
  return {
    wake() {
      news.resolve(undefined);
    },
    async wait() {
      await news.promise;
      news = Promise.withResolvers<undefined>();
    },
  };
}
