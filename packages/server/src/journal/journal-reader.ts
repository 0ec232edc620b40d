/** What is asked of the journal's worker: to read the log and the state, to expire. @module */
import { type Entry, decodeEntry } from '@holdfast/protocol';
import type { EntryPlace, Expiry, StoredEntry } from '../audit/index.ts';
import { Fault, type Log } from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import type { StateRow } from './state-store.ts';
import type {
  FromWorker,
  KeyMessage,
  ReadAnswers,
  ReadRequest,
  ReadType,
  ToWorker,
} from './worker-messages.ts';

/** An entry that is durable. */
export interface JournaledEntry {
  /** Its place in the audit log. */
  readonly index: number;
  /** Number of the data key that sealed it. */
  readonly keyRef: number;
  /** Highest replay counter of its device at that time. */
  readonly counterMax: number;
  readonly entry: Required<Entry>;
}

/** What the reader needs. */
export interface JournalReaderDeps {
  readonly post: (message: ToWorker) => void;
  /** The data key under a number. Throws when it was destroyed. */
  readonly keyOf: (keyRef: number) => DataKey;
  readonly log: Log;
}

interface PendingRead {
  readonly resolve: (answer: ReadAnswers[ReadType]) => void;
  readonly reject: (error: Error) => void;
}

/** Asks the worker, and gives its answers to those who asked. */
export class JournalReader {
  readonly #deps: JournalReaderDeps;
  readonly #pending = new Map<number, PendingRead>();
  #id = 0;

  constructor(deps: JournalReaderDeps) {
    this.#deps = deps;
  }

  /** Entries under a data key, newest first, with indexes below `before`. */
  async read(key: DataKey, page: { before: number; limit: number }): Promise<JournaledEntry[]> {
    const entries = await this.#ask({ type: 'read', key: keyMessage(key), ...page });
    return entries.map((stored) => {
      const journaled = asJournaled(stored);
      if (journaled === undefined) throw new Error(unreadable(stored));
      return journaled;
    });
  }

  /** The entries at some places, in their order; undefined for those that cannot be read. */
  async fetch(places: readonly EntryPlace[]): Promise<(JournaledEntry | undefined)[]> {
    const { keys } = this.#findKeys(new Set(places.map(({ keyRef }) => keyRef)));
    const { entries, problems } = await this.#ask({
      type: 'fetch',
      places: places.map(({ index, keyRef }) => ({ index, keyRef })),
      keys,
    });
    const found = new Map(this.#decode(entries, problems).map((entry) => [entry.index, entry]));
    return places.map(({ index, keyRef }) => {
      const entry = found.get(index);
      return entry?.keyRef === keyRef ? entry : undefined;
    });
  }

  /** Visits all entries from `from` on and below `to` that can be read, in their order. */
  async scan(
    { from, to }: { from: number; to: number },
    visit: (entries: readonly JournaledEntry[]) => void,
  ): Promise<void> {
    const destroyed: number[] = [];
    let keys: readonly KeyMessage[] = [];
    for (let next: number | undefined = from; next !== undefined && next < to;) {
      const page: ReadAnswers['scan'] = await this.#ask({
        type: 'scan',
        from: next,
        to,
        keys,
        destroyed,
      });
      const found = this.#findKeys(page.wantedKeys);
      keys = found.keys;
      destroyed.push(...found.destroyed);
      if (page.wantedKeys.length > 0) continue;
      visit(this.#decode(page.entries, page.problems));
      next = page.next;
    }
  }

  /**
   * Visits everything that was saved.
   * @throws Fault `E_JOURNAL_STATE` when a part of it does not open.
   */
  async loadState(visit: (rows: readonly StateRow[]) => void): Promise<void> {
    for (let after: number | undefined = 0; after !== undefined;) {
      const page: ReadAnswers['loadState'] = await this.#ask({ type: 'loadState', after });
      visit(page.rows);
      after = page.next;
    }
  }

  /** Gives what would come of expiries, see `LogExpiry.foresee`. */
  foreseeExpiries(expiries: readonly Expiry[]): Promise<readonly Expiry[]> {
    return this.#ask({ type: 'foreseeExpiries', expiries });
  }

  /** Plans expiries that are on the log, see `LogExpiry.plan`. */
  planExpiries(expiries: readonly Expiry[]): Promise<readonly Expiry[]> {
    return this.#ask({ type: 'planExpiries', expiries });
  }

  /** Does what is planned; rejects when the disk fails, and then goes on when called again. */
  doExpiries(): Promise<undefined> {
    return this.#ask({ type: 'doExpiries' });
  }

  /** Takes an answer of the worker. */
  receive(message: Extract<FromWorker, { type: 'answer' | 'unanswered' }>): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.type === 'answer') pending?.resolve(message.answer);
    else pending?.reject(asError(message.error));
  }

  #ask<T extends ReadType>(
    request: Extract<ReadRequest, { readonly type: T }>,
  ): Promise<ReadAnswers[T]> {
    this.#id += 1;
    const id = this.#id;
    return new Promise((resolve, reject) => {
      // The worker answers each request with what belongs to its type.
      this.#pending.set(id, { resolve: (answer) => resolve(answer as ReadAnswers[T]), reject });
      this.#deps.post({ type: 'request', id, request });
    });
  }

  #findKeys(keyRefs: Iterable<number>): { keys: KeyMessage[]; destroyed: number[] } {
    const keys: KeyMessage[] = [];
    const destroyed: number[] = [];
    for (const keyRef of keyRefs) {
      try {
        keys.push(keyMessage(this.#deps.keyOf(keyRef)));
      } catch (error) {
        destroyed.push(keyRef);
        // An erasure is no trouble, anything else is.
        const isErased = error instanceof Fault && error.code === 'E_PERSISTENCE_KEY';
        if (!isErased) this.#report(String(error));
      }
    }
    return { keys, destroyed };
  }

  #decode(stored: readonly StoredEntry[], problems: readonly string[]): JournaledEntry[] {
    for (const problem of problems) this.#report(problem);
    return stored.flatMap((one) => {
      const entry = asJournaled(one);
      if (entry === undefined) this.#report(unreadable(one));
      return entry ?? [];
    });
  }

  #report(problem: string): void {
    const event = { 'event.action': 'journal-read', 'event.outcome': 'failure' };
    this.#deps.log.error(
      { ...event, 'error.message': problem },
      'entries of the log cannot be read; stop the server and run: holdfast audit verify',
    );
  }
}

/** A data key as it is sent to the worker. */
export function keyMessage({ ref, key }: DataKey): KeyMessage {
  return [ref, key.expose()];
}

function asJournaled({ record, ...place }: StoredEntry): JournaledEntry | undefined {
  const entry = decodeEntry(record);
  return entry === undefined ? undefined : { ...place, entry };
}

function unreadable({ index }: StoredEntry): string {
  return `entry ${index} is none that this version can read`;
}

function asError({ message, fault }: { message: string; fault?: FaultParts | undefined }): Error {
  return fault === undefined ? new Error(message) : new Fault({ ...fault, what: message });
}

interface FaultParts {
  readonly code: string;
  readonly fix: string;
}
