/** The retained messages of the server: the last one of each topic that asked to be kept. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { type LevelNode, LevelTree } from './level-tree.ts';
import { RETAINED_BYTES_MAX, RETAINED_COUNT_MAX } from './limits.ts';

/** What the table needs to know of a message; the rest is the caller's. */
export interface RetainedMessage {
  /** Memory of its own: a view into a received chunk would keep the whole chunk. */
  readonly payload: Uint8Array;
}

/** How much a {@link RetainedTable} may hold. */
export interface RetainedLimits {
  /** Largest number of messages. */
  readonly countMax: number;
  /** Largest sum of their payloads, in bytes. */
  readonly bytesMax: number;
}

/**
 * The last message of each topic, so that a new subscription finds its own without a look at all.
 * Topics and filters were checked before (`checkTopicName`, `checkTopicFilter`).
 *
 * @see MQTT 3.1.1 §3.3.1.3
 */
export class RetainedTable<M extends RetainedMessage> {
  readonly #tree = new LevelTree<Entry<M>>();
  readonly #limits: RetainedLimits;
  #count = 0;
  #bytes = 0;

  constructor(limits: RetainedLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Number of retained messages. */
  get count(): number {
    return this.#count;
  }

  /** Sum of the payloads of all retained messages, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Keeps a message in place of the former one on its topic; one with an empty payload only
   * removes the former. [MQTT-3.3.1-5] [MQTT-3.3.1-10] [MQTT-3.3.1-11]
   *
   * @returns `E_ROUTE_RETAINED` when the table is full. The former message is gone even then: no
   *   subscriber shall take it for the present state. [MQTT-3.3.1-7]
   */
  set(topic: string, message: M): Refusal | undefined {
    this.#remove(topic);
    if (message.payload.length === 0) return undefined;
    const { countMax, bytesMax } = this.#limits;
    if (this.#count + 1 > countMax) {
      return refuse('E_ROUTE_RETAINED', `${countMax} messages are retained already`);
    }
    if (this.#bytes + message.payload.length > bytesMax) {
      return refuse('E_ROUTE_RETAINED', `more than ${bytesMax} bytes would be retained`);
    }
    this.#count += 1;
    this.#bytes += message.payload.length;
    this.#tree.put(topic, { topic, message });
    return undefined;
  }

  /**
   * Visits the retained messages that a new subscription gets. The visitor may change the table.
   * [MQTT-3.3.1-6]
   */
  matching(filter: string, visit: (topic: string, message: M) => void): void {
    for (const { value } of findMatching(this.#tree.root, filter)) {
      if (value !== undefined) visit(value.topic, value.message);
    }
  }

  #remove(topic: string): void {
    const former = this.#tree.find(topic);
    if (former === undefined) return;
    this.#count -= 1;
    this.#bytes -= former.message.payload.length;
    this.#tree.delete(topic);
  }
}

interface Entry<M> {
  readonly topic: string;
  readonly message: M;
}

/** The nodes of all topics that a filter matches, found level by level. */
function findMatching<V>(root: LevelNode<V>, filter: string): LevelNode<V>[] {
  let nodes = [root];
  for (const level of filter.split('/')) {
    if (level === '#') return withDescendants(nodes, root);
    if (level === '+') nodes = nodes.flatMap((node) => wildcardChildren(node, root));
    else nodes = nodes.flatMap((node) => node.children?.get(level) ?? []);
  }
  return nodes;
}

function withDescendants<V>(nodes: readonly LevelNode<V>[], root: LevelNode<V>): LevelNode<V>[] {
  const found = [...nodes];
  for (const node of found) {
    for (const child of wildcardChildren(node, root)) found.push(child);
  }
  return found;
}

/** A wildcard at the front does not reach the topics of the system. [MQTT-4.7.2-1] */
function wildcardChildren<V>(node: LevelNode<V>, root: LevelNode<V>): LevelNode<V>[] {
  const children = [...(node.children ?? [])];
  const reached = node === root ? children.filter(([level]) => !level.startsWith('$')) : children;
  return reached.map(([, child]) => child);
}

const DEFAULT_LIMITS: RetainedLimits = {
  countMax: RETAINED_COUNT_MAX,
  bytesMax: RETAINED_BYTES_MAX,
};
