/** The state of everything, kept live: reconnects by itself, and says when what it shows is out of date. */
import type { LiveState } from '../../../control-plane/src/api/types.ts';
import type { Event } from '../../../control-plane/src/model/event.ts';
import { Unauthorized, followLive, recentEvents } from './api.ts';

const TOKEN_KEY = 'switchboard.token';
const FIRST_RETRY_MS = 300;
const LONGEST_RETRY_MS = 5_000;

export class Live {
  token = $state('');
  state = $state<LiveState | undefined>(undefined);
  events = $state<Event[]>([]);
  connected = $state(false);
  refused = $state(false);
  #stop: AbortController | undefined;

  constructor() {
    // A link may bring the token in its fragment, which never leaves the browser; it is taken out of the address at once.
    const fragment = new URLSearchParams(location.hash.slice(1)).get('token');
    if (fragment !== null) {
      sessionStorage.setItem(TOKEN_KEY, fragment);
      history.replaceState(null, '', location.pathname);
    }
    this.token = sessionStorage.getItem(TOKEN_KEY) ?? '';
    if (this.token !== '') void this.#run();
  }

  signIn(token: string): void {
    this.token = token.trim();
    this.refused = false;
    sessionStorage.setItem(TOKEN_KEY, this.token);
    void this.#run();
  }

  async #run(): Promise<void> {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    let wait = FIRST_RETRY_MS;
    while (!stop.signal.aborted) {
      try {
        await followLive(this.token, stop.signal, (state) => {
          const changed = this.state?.revision !== state.revision;
          this.state = state;
          this.connected = true;
          wait = FIRST_RETRY_MS;
          if (changed) void this.#refreshEvents();
        });
      } catch (error) {
        if (error instanceof Unauthorized) {
          sessionStorage.removeItem(TOKEN_KEY);
          this.token = '';
          this.refused = true;
          stop.abort();
        }
      }
      this.connected = false;
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, LONGEST_RETRY_MS);
    }
  }

  async #refreshEvents(): Promise<void> {
    this.events = await recentEvents(this.token).catch(() => this.events);
  }
}
