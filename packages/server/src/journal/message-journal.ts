/** The journal as the message path sees it: verified messages in, durable messages out. @module */
import { z } from 'zod';
import type { Keyring } from '../persistence/index.ts';
import type { MessageRef, SessionStore } from '../session/index.ts';
import type { VerifiedMessage } from '../verify/index.ts';
import type { JournaledEntry } from './journal-reader.ts';
import type { Journal } from './journal.ts';
import { type JournaledMessage, mintJournaled } from './journaled-message.ts';
import { type EncodeState, ROUTED_KEY, decodeRouted } from './pending-state.ts';
import type { StateRow } from './state-store.ts';

const SESSION_PREFIX = 'session/';
const RETAINED_PREFIX = 'retained/';

/** Index and key number of a retained message. */
const RetainedSchema = z.tuple([z.int(), z.int()]);

/** Takes what was saved before the server started. */
export interface SavedState {
  session(id: string, record: Uint8Array): void;
  /** `ref` says where the message stands; {@link MessageJournal.fetch} gives it. */
  retained(topic: string, ref: MessageRef): void;
}

/** Stores verified messages, each under the data key of its device, and what is made of them. */
export class MessageJournal implements SessionStore {
  readonly #journal: Journal;
  readonly #keyring: Pick<Keyring, 'byRef'>;

  constructor(journal: Journal, { keyring }: { keyring: Pick<Keyring, 'byRef'> }) {
    this.#journal = journal;
    this.#keyring = keyring;
  }

  /** Stores a message; `done` is called when it is durable, in the order of the appends. */
  append(message: VerifiedMessage, done: (journaled: JournaledMessage) => void): void {
    const key = this.#keyring.byRef(message.contentKeyRef);
    this.#journal.append(message, {
      key,
      counterMax: message.counterMax,
      done: (index) => done(mintJournaled({ index, keyRef: key.ref }, message)),
    });
  }

  barrier(done: () => void): void {
    this.#journal.barrier(done);
  }

  save(id: string, encode: EncodeState): void {
    this.#journal.saveState(SESSION_PREFIX + id, encode);
  }

  saveSoon(id: string, encode: EncodeState): void {
    this.#journal.saveStateSoon(SESSION_PREFIX + id, encode);
  }

  /** Keeps where the retained message of a topic stands, within a second; undefined for none. */
  saveRetained(topic: string, ref: MessageRef | undefined): void {
    const stored: z.input<typeof RetainedSchema> | undefined = ref && [ref.index, ref.keyRef];
    this.#journal.saveStateSoon(
      RETAINED_PREFIX + topic,
      () => stored && Buffer.from(JSON.stringify(stored), 'latin1'),
    );
  }

  async fetch(refs: readonly MessageRef[]): Promise<(JournaledMessage | undefined)[]> {
    const entries = await this.#journal.fetch(refs);
    return entries.map((journaled) => journaled && asMessage(journaled));
  }

  /**
   * Hands over what was saved.
   * @returns the index of the first entry that may not be reflected in it.
   * @throws Fault `E_JOURNAL_STATE` when a part of it cannot be read.
   */
  async load(saved: SavedState): Promise<number> {
    let routed = 0;
    await this.#journal.loadState((rows) => {
      for (const { key, value } of rows) {
        if (key === ROUTED_KEY) routed = decodeRouted(value);
        else handOver({ key, value }, saved);
      }
    });
    return routed;
  }

  /** Hands over the messages from an index on that were stored before, in their order. */
  async replay(from: number, visit: (message: JournaledMessage) => void): Promise<void> {
    await this.#journal.scan(from, (entries) => {
      for (const entry of entries) {
        const message = asMessage(entry);
        if (message !== undefined) visit(message);
      }
    });
  }

  /** Tells that everything before was taken up, see {@link Journal.markRecovered}. */
  markRecovered(): void {
    this.#journal.markRecovered();
  }
}

function asMessage({ entry, ...place }: JournaledEntry): JournaledMessage | undefined {
  return entry.kind === 'message' ? mintJournaled(place, entry) : undefined;
}

function handOver({ key, value }: StateRow, saved: SavedState): void {
  if (key.startsWith(SESSION_PREFIX)) {
    saved.session(key.slice(SESSION_PREFIX.length), value);
  } else if (key.startsWith(RETAINED_PREFIX)) {
    const [index, keyRef] = RetainedSchema.parse(JSON.parse(Buffer.from(value).toString('latin1')));
    saved.retained(key.slice(RETAINED_PREFIX.length), { index, keyRef });
  }
}
