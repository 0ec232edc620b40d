/** The proof that a message is durable. @module */
import type { Entry } from '@holdfast/protocol';
import type { Qos } from '@holdfast/protocol/mqtt';
import type { EntryPlace } from '../audit/index.ts';
import type { RoutedMessage } from '../session/index.ts';

/** What is in the journal of a message: as it was verified, or as it is read back. */
export type MessageEntry = Pick<Entry, 'atMs' | 'principal' | 'topic' | 'body'> &
  Required<Pick<Entry, 'qos' | 'retain' | 'expiryS' | 'properties'>>;

/**
 * Makes a {@link JournaledMessage}; for the other files of this folder only, which the folder's
 * index does not pass on.
 */
export let mintJournaled: (place: EntryPlace, entry: MessageEntry) => JournaledMessage;

/** Proof that a verified message is durable, and the message on its way to its subscribers. */
export class JournaledMessage implements RoutedMessage {
  readonly #journaled = true;
  readonly index: number;
  readonly keyRef: number;
  readonly principal: string;
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly expiresAtMs: number;
  #payload: Uint8Array;
  #forwarded: Uint8Array;

  private constructor({ index, keyRef }: EntryPlace, entry: MessageEntry) {
    this.index = index;
    this.keyRef = keyRef;
    this.principal = entry.principal;
    this.topic = entry.topic;
    this.qos = entry.qos;
    this.retain = entry.retain;
    const { atMs, expiryS } = entry;
    this.expiresAtMs = expiryS === undefined ? Number.POSITIVE_INFINITY : atMs + expiryS * 1_000;
    this.#payload = entry.body;
    this.#forwarded = entry.properties;
  }

  get payload(): Uint8Array {
    return this.#payload;
  }

  get forwarded(): Uint8Array {
    return this.#forwarded;
  }

  detach(): void {
    this.#payload = detached(this.#payload);
    this.#forwarded = detached(this.#forwarded);
  }

  static {
    mintJournaled = (place, entry) => new JournaledMessage(place, entry);
  }

  static is(value: unknown): value is JournaledMessage {
    return value instanceof Object && #journaled in value;
  }
}

function detached(bytes: Uint8Array): Uint8Array {
  // Not `slice`: that of a Buffer is another view.
  return bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
