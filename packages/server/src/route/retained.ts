/** The retained messages of the server: the last one of each topic that is to be kept. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { MessageRef, RoutedMessage } from '../session/index.ts';
import { LevelTree } from './level-tree.ts';
import { RETAINED_BYTES_MAX, RETAINED_COUNT_MAX, RETAINED_PER_DEVICE_MAX } from './limits.ts';
import { visitMatching } from './visit-matching.ts';

/** How much a {@link RetainedTable} may hold. */
export interface RetainedLimits {
  /** Largest number of messages. */
  readonly countMax: number;
  /** Largest sum of their payloads, in bytes. */
  readonly bytesMax: number;
  /** Largest number of messages of one principal. */
  readonly perDeviceMax: number;
}

/** The limits as they stand in `limits.ts`. */
export const RETAINED_LIMITS: RetainedLimits = {
  countMax: RETAINED_COUNT_MAX,
  bytesMax: RETAINED_BYTES_MAX,
  perDeviceMax: RETAINED_PER_DEVICE_MAX,
};

/** Keeps across restarts which messages are retained. */
export interface RetainedStore {
  /** Notes where the retained message of a topic stands in the journal; undefined for none. */
  saveRetained(topic: string, ref: MessageRef | undefined): void;
}

/** What a {@link RetainedTable} needs. */
export interface RetainedTableDeps {
  readonly nowMs: () => number;
  readonly store: RetainedStore;
  readonly limits: RetainedLimits;
}

/**
 * The last message of each topic, so that a new subscription finds its own without a look at all.
 * Topics and filters were checked before (`checkTopicName`, `checkTopicFilter`).
 *
 * @see MQTT 5 §3.3.1.3
 */
export class RetainedTable {
  readonly #deps: RetainedTableDeps;
  readonly #tree = new LevelTree<RoutedMessage>();
  readonly #countOf = new Map<string, number>();
  /** Those that end some day, and where the search for the ended ones goes on. */
  readonly #mortal = new Set<RoutedMessage>();
  #search = this.#mortal.values();
  #count = 0;
  #bytes = 0;

  constructor(deps: RetainedTableDeps) {
    this.#deps = deps;
  }

  /** Number of retained messages. */
  get count(): number {
    return this.#count;
  }

  /** Sum of the payloads of all retained messages, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether nothing is left of any message. */
  get isEmpty(): boolean {
    return this.#tree.isEmpty && this.#countOf.size === 0 && this.#mortal.size === 0;
  }

  /**
   * Keeps a message in place of the former one on its topic; one with an empty payload only
   * removes the former [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7]. A message that is older than
   * the one that is kept, as when the journal is replayed, changes nothing.
   *
   * @returns `E_ROUTE_RETAINED` when the table is full. The former message is gone even then: no
   *   subscriber shall take it for the present state.
   */
  set(message: RoutedMessage): Refusal | undefined {
    const { topic, index } = message;
    this.#searchExpired();
    const former = this.#tree.find(topic);
    if (former !== undefined) {
      if (index >= 0 && index <= former.index) return undefined;
      this.#remove(former);
    }
    const isKept = message.payload.length > 0 && !this.#isExpired(message);
    const refusal = isKept ? this.#refuse(message) : undefined;
    if (isKept && refusal === undefined) this.#put(message);
    this.#save(topic, { former, next: this.#tree.find(topic) });
    return refusal;
  }

  /** Takes back what {@link RetainedStore} had noted: one message a topic, before any `set`. */
  restore(message: RoutedMessage): void {
    const isKept = !this.#isExpired(message) && this.#refuse(message) === undefined;
    if (isKept) this.#put(message);
    else this.#deps.store.saveRetained(message.topic, undefined);
  }

  /**
   * Visits the retained messages that a new subscription gets, one topic a step: a step that finds
   * none gives undefined. The table may change between two steps; then it gives the newest
   * message of each topic it comes to.
   */
  *matching(filter: string): Generator<RoutedMessage | undefined, void> {
    for (const message of visitMatching(this.#tree.root, filter)) {
      if (message !== undefined && this.#isExpired(message)) {
        this.#drop(message);
        yield undefined;
      } else {
        yield message;
      }
    }
  }

  /** Removes the messages on all topics that match. */
  removeAll(filter: string): void {
    // All of them first: the tree must not change under its visitor.
    const found = [...visitMatching(this.#tree.root, filter)];
    for (const message of found) if (message !== undefined) this.#drop(message);
  }

  #refuse({ principal, payload, index }: RoutedMessage): Refusal | undefined {
    const { countMax, bytesMax, perDeviceMax } = this.#deps.limits;
    if (this.#count >= countMax) {
      return refuse('E_ROUTE_RETAINED', `${countMax} messages are retained already`);
    }
    if (this.#bytes + payload.length > bytesMax) {
      return refuse('E_ROUTE_RETAINED', `more than ${bytesMax} bytes would be retained`);
    }
    // The server's own messages have no index, and there may be some for each device.
    if (index >= 0 && (this.#countOf.get(principal) ?? 0) >= perDeviceMax) {
      return refuse('E_ROUTE_RETAINED', `${perDeviceMax} of its messages are retained already`);
    }
    return undefined;
  }

  #put(message: RoutedMessage): void {
    const { topic, principal, expiresAtMs } = message;
    message.detach();
    this.#count += 1;
    this.#bytes += message.payload.length;
    this.#countOf.set(principal, (this.#countOf.get(principal) ?? 0) + 1);
    if (expiresAtMs !== Number.POSITIVE_INFINITY) this.#mortal.add(message);
    this.#tree.put(topic, message);
  }

  #remove(message: RoutedMessage): void {
    const { topic, principal, payload } = message;
    this.#count -= 1;
    this.#bytes -= payload.length;
    const count = (this.#countOf.get(principal) ?? 0) - 1;
    if (count > 0) this.#countOf.set(principal, count);
    else this.#countOf.delete(principal);
    this.#mortal.delete(message);
    this.#tree.delete(topic);
  }

  #drop(message: RoutedMessage): void {
    this.#remove(message);
    this.#save(message.topic, { former: message, next: undefined });
  }

  /** Messages of the server are not in the journal, and so not in the store either. */
  #save(
    topic: string,
    { former, next }: Record<'former' | 'next', RoutedMessage | undefined>,
  ): void {
    const { store } = this.#deps;
    if (next !== undefined && next.index >= 0) {
      store.saveRetained(topic, { index: next.index, keyRef: next.keyRef });
    } else if (former !== undefined && former.index >= 0) {
      store.saveRetained(topic, undefined);
    }
  }

  /** Looks at two messages each time: so expired ones go, even if nobody ever asks for them. */
  #searchExpired(): void {
    for (let step = 0; step < 2; step += 1) {
      const { done, value } = this.#search.next();
      if (done === true) {
        this.#search = this.#mortal.values();
        return;
      }
      if (this.#isExpired(value)) this.#drop(value);
    }
  }

  #isExpired({ expiresAtMs }: RoutedMessage): boolean {
    return expiresAtMs !== Number.POSITIVE_INFINITY && expiresAtMs <= this.#deps.nowMs();
  }
}
