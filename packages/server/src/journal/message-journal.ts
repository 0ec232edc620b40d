/** The journal as the message path sees it: verified messages in, durable messages out. @module */
import type { Keyring } from '../persistence/index.ts';
import type { VerifiedMessage } from '../verify/index.ts';
import type { Journal } from './journal.ts';

let mint: (index: number, message: VerifiedMessage) => JournaledMessage;

/** Proof that a verified message is durable. Only {@link MessageJournal} makes one. */
export class JournaledMessage {
  readonly #journaled = true;
  /** Its place in the audit log. */
  readonly index: number;
  readonly message: VerifiedMessage;

  private constructor(index: number, message: VerifiedMessage) {
    this.index = index;
    this.message = message;
  }

  static {
    mint = (index, message) => new JournaledMessage(index, message);
  }

  static is(value: unknown): value is JournaledMessage {
    return value instanceof Object && #journaled in value;
  }
}

/** Stores verified messages, each under the data key of its device. */
export class MessageJournal {
  readonly #journal: Journal;
  readonly #keyring: Keyring;

  constructor(journal: Journal, { keyring }: { keyring: Keyring }) {
    this.#journal = journal;
    this.#keyring = keyring;
  }

  /** Stores a message; `done` is called when it is durable, in the order of the appends. */
  append(message: VerifiedMessage, done: (journaled: JournaledMessage) => void): void {
    this.#journal.append(message, {
      key: this.#keyring.byRef(message.contentKeyRef),
      counterMax: message.counterMax,
      done: (index) => done(mint(index, message)),
    });
  }

  /** Calls `done` when all that was appended before is durable: a refusal answers no sooner. */
  barrier(done: () => void): void {
    this.#journal.barrier(done);
  }
}
