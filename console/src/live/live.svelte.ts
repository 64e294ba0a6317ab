/**
 * The state of everything, kept live over one event stream: reconnects by itself, and says when what it shows is out of date.
 * A tab that is not looked at gives its connection back after a while: browsers allow few to one host.
 */
import { createClient, type ApiClient } from '../../../control-plane/src/api/client.ts';
import type { InstanceView, LiveState, ServiceView } from '../../../control-plane/src/api/types.ts';
import { isError } from '../../../control-plane/src/model/errors.ts';
import { History } from './history.svelte.ts';
import { grouped, namesOf } from './steady.ts';

const TOKEN_KEY = 'switchboard.token';
const FIRST_RETRY_MS = 300;
const LONGEST_RETRY_MS = 4_000;
/** With no news for this long, /livez is asked whether the connection is dead. */
const QUIET_MS = 5_000;
const HIDDEN_MS = 30_000;
/** A change is told in less. */
const NEWS_MS = 2_000;
/** Once a second, whether it is the state or the clock that comes first. */
const BEAT_MS = 950;

type Link = 'connecting' | 'live' | 'stale';

class Live {
  token = $state('');
  state = $state.raw<LiveState | undefined>(undefined);
  link = $state<Link>('connecting');
  /** The token was refused. */
  refused = $state(false);
  /** The link signs in no more. */
  spent = $state(false);
  /** When the last news came, milliseconds since the epoch. */
  heardAt = $state(0);
  /** A clock for ages, once a second. */
  now = $state(Date.now());
  readonly history = new History();
  /** For what shows no more than these: they stay the same while only numbers change. */
  readonly revision = $derived(this.state?.revision);
  readonly serviceNames = $derived.by(namesOf(() => (this.state?.services ?? []).map((one) => one.name)));
  readonly instancesOf: ReadonlyMap<string, readonly InstanceView[]> = $derived.by(
    grouped(
      () => this.state?.instances ?? [],
      (one) => one.service,
    ),
  );
  #client: ApiClient | undefined;
  #stop: AbortController | undefined;
  #hiddenSince: number | undefined;
  #beatAt = 0;

  constructor() {
    // A link may bring the token in its fragment, which never leaves the browser; it is taken out of the address at once.
    const fragment = new URLSearchParams(location.hash.slice(1));
    const [token, code] = [fragment.get('token'), fragment.get('sign-in')];
    if (token !== null) sessionStorage.setItem(TOKEN_KEY, token);
    if (token !== null || code !== null) history.replaceState(null, '', location.pathname + location.search);
    this.token = sessionStorage.getItem(TOKEN_KEY) ?? '';
    // Who is signed in stays so: a link that was used before does no harm.
    if (this.token !== '') void this.#run();
    else if (code !== null) void this.#signInWith(code);
    setInterval(() => {
      this.#tick();
    }, 1000);
    document.addEventListener('visibilitychange', () => {
      this.#hiddenSince = document.hidden ? Date.now() : undefined;
      if (!document.hidden && this.token !== '' && this.#stop?.signal.aborted === true) void this.#run();
    });
  }

  get api(): ApiClient {
    this.#client ??= createClient({ url: location.origin, token: this.token });
    return this.#client;
  }

  service(name: string): ServiceView | undefined {
    return this.state?.services.find((one) => one.name === name);
  }

  /** Once what is shown has come to this revision; a connection that brings no news is not waited for. */
  async shows(revision: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = $effect.root(() => {
        $effect(() => {
          if ((this.revision ?? 0) >= revision) resolve();
        });
      });
      setTimeout(() => {
        resolve();
        end();
      }, NEWS_MS);
    });
  }

  /** A code of a link is good once. */
  async #signInWith(code: string): Promise<void> {
    try {
      this.signIn((await this.api.signIn(code)).token);
    } catch {
      this.spent = true;
    } finally {
      this.#client = undefined;
    }
  }

  signIn(token: string): void {
    this.spent = false;
    this.token = token.trim();
    this.#client = undefined;
    this.refused = false;
    sessionStorage.setItem(TOKEN_KEY, this.token);
    void this.#run();
  }

  signOut(refused = false): void {
    sessionStorage.removeItem(TOKEN_KEY);
    this.#stop?.abort();
    this.token = '';
    this.#client = undefined;
    this.state = undefined;
    this.link = 'connecting';
    this.refused = refused;
  }

  async #run(): Promise<void> {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    let wait = FIRST_RETRY_MS;
    while (!stop.signal.aborted) {
      const attempt = new AbortController();
      const onStop = (): void => {
        attempt.abort();
      };
      stop.signal.addEventListener('abort', onStop, { once: true });
      const watch = setInterval(() => void this.#watchQuiet(attempt), QUIET_MS);
      try {
        for await (const state of this.api.liveStates(attempt.signal)) {
          this.#take(state);
          wait = FIRST_RETRY_MS;
        }
      } catch (error) {
        if (isError(error, 'unauthenticated')) this.signOut(true);
      }
      clearInterval(watch);
      stop.signal.removeEventListener('abort', onStop);
      if (stop !== this.#stop) return;
      if (this.token === '') return;
      this.link = this.state === undefined ? 'connecting' : 'stale';
      if (stop.signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, LONGEST_RETRY_MS);
    }
  }

  #take(state: LiveState): void {
    this.state = state;
    this.heardAt = Date.now();
    this.link = 'live';
    this.#beat();
  }

  /** A cable that was pulled ends no stream: ask, and end it where no answer comes. */
  async #watchQuiet(attempt: AbortController): Promise<void> {
    if (Date.now() - this.heardAt < QUIET_MS) return;
    try {
      const answer = await fetch('/livez', { signal: AbortSignal.timeout(3_000), cache: 'no-store' });
      if (answer.ok && this.link === 'live') this.heardAt = Date.now();
    } catch {
      attempt.abort();
    }
  }

  /** Ages and charts move together with the numbers: what is drawn at one time costs less than twice at two. */
  #beat(): void {
    const now = Date.now();
    if (now - this.#beatAt < BEAT_MS) return;
    this.#beatAt = now;
    this.now = now;
    if (this.state !== undefined && this.link === 'live') this.history.sample(this.state, now);
  }

  #tick(): void {
    this.#beat();
    if (this.#hiddenSince !== undefined && Date.now() - this.#hiddenSince > HIDDEN_MS) this.#stop?.abort();
  }
}

export const live = new Live();
