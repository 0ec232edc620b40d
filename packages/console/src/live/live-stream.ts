/** One stream of events of the server for the whole page. @module */

/** How the stream is. */
export type LiveState = 'connecting' | 'live' | 'lost';

type Listener = (data: unknown) => void;

/** After an answer that was no stream. */
const AGAIN_MS = 15_000;

/** The events that `GET /v1/live` sends. */
const EVENTS = ['figures', 'refusal', 'act', 'device', 'presence', 'left-out'] as const;
export type LiveEventName = (typeof EVENTS)[number];

/** Follows `GET /v1/live` while somebody listens. The browser connects again by itself. */
export class LiveStream {
  readonly #path: string;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #watchers = new Set<() => void>();
  #source: EventSource | undefined;
  #state: LiveState = 'connecting';
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(path = '/v1/live') {
    this.#path = path;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Hears one kind of event. @returns what ends it. */
  on(event: LiveEventName, listener: Listener): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    this.#open();
    return () => listeners.delete(listener);
  }

  /** Hears when the state changes. @returns what ends it. */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** Ends the stream, as when the person signs out. */
  close(): void {
    clearTimeout(this.#again);
    this.#source?.close();
    this.#source = undefined;
    this.#become('connecting');
  }

  #open(): void {
    if (this.#source !== undefined) return;
    const source = new EventSource(this.#path);
    this.#source = source;
    source.addEventListener('open', () => this.#become('live'));
    source.addEventListener('error', () => {
      if (this.#source !== source) return;
      this.#become('lost');
      if (source.readyState !== EventSource.CLOSED) return;
      // An answer that is no stream, such as of too many of them: the browser does not ask again.
      this.#source = undefined;
      this.#again = setTimeout(() => this.#open(), AGAIN_MS);
    });
    for (const event of EVENTS) {
      source.addEventListener(event, ({ data }: MessageEvent<string>) => {
        const value: unknown = JSON.parse(data);
        for (const listener of this.#listeners.get(event) ?? []) listener(value);
      });
    }
  }

  #become(state: LiveState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const watcher of this.#watchers) watcher();
  }
}
