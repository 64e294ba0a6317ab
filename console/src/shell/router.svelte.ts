/** The address bar as state: path and query. Filters live in the query, so that a link shows what its sender saw. */
class Router {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));

  constructor() {
    addEventListener('popstate', () => {
      this.#read();
    });
  }

  go(href: string, { replace = false } = {}): void {
    if (replace) history.replaceState(null, '', href);
    else history.pushState(null, '', href);
    this.#read();
  }

  /** Sets or (undefined, '') removes query parameters; typing in a filter must not fill the history, so it replaces. */
  set(changes: Readonly<Record<string, string | undefined>>): void {
    const next = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || value === '') next.delete(name);
      else next.set(name, value);
    }
    const text = next.toString();
    this.go(this.path + (text === '' ? '' : `?${text}`), { replace: true });
  }

  get(name: string): string {
    return this.query.get(name) ?? '';
  }

  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }
}

export const router = new Router();

/** Own links change the page without loading it anew; with a modifier, another target or a download they are the browser's. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element | null)?.closest('a');
  if (link === null || link === undefined || link.target !== '' || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname.startsWith('/docs') || url.pathname.startsWith('/v1')) return;
  event.preventDefault();
  router.go(url.pathname + url.search);
}
