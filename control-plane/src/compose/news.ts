/** Tells whoever shows something that something has changed, and whether it is pressing: thousands of sessions come and go in a second. */

type Listener = (pressing: boolean) => void;

export interface News {
  tell: () => void;
  /** Sessions opened or ended. */
  tellCounts: () => void;
  subscribe(listener: Listener): () => void;
}

export function createNews(): News {
  const listeners = new Set<Listener>();
  const tell = (pressing: boolean): void => {
    for (const listener of listeners) listener(pressing);
  };
  return {
    tell() {
      tell(true);
    },
    tellCounts() {
      tell(false);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
