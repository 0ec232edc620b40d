/** Finds the subscribers of a topic without looking at every subscription. @module */
import type { Qos } from '@holdfast/protocol/mqtt';
import { type LevelNode, LevelTree } from './level-tree.ts';

/** Takes one subscriber of a topic, with the largest QoS that its matching filters ask for. */
export type VisitSubscriber<S> = (subscriber: S, qos: Qos) => void;

/**
 * All subscriptions of the server. Filters and topics were checked before (`checkTopicFilter`,
 * `checkTopicName`). Subscribers are told apart by identity.
 *
 * @see MQTT 3.1.1 §4.7
 */
export class TopicTrie<S> {
  readonly #tree = new LevelTree<Map<S, Qos>>();

  /** Whether nothing is subscribed. */
  get isEmpty(): boolean {
    return this.#tree.root.children === undefined;
  }

  /** Adds a subscription, or gives an existing one with the same filter a new QoS. */
  add(filter: string, subscriber: S, qos: Qos): void {
    const subscribers = this.#tree.find(filter);
    if (subscribers === undefined) this.#tree.put(filter, new Map([[subscriber, qos]]));
    else subscribers.set(subscriber, qos);
  }

  /** Removes a subscription. @returns whether it was there. */
  remove(filter: string, subscriber: S): boolean {
    const subscribers = this.#tree.find(filter);
    const wasThere = subscribers?.delete(subscriber) ?? false;
    if (subscribers?.size === 0) this.#tree.delete(filter);
    return wasThere;
  }

  /** Removes the subscriptions of a closing subscriber, which its session keeps a list of. */
  removeAll(filters: Iterable<string>, subscriber: S): void {
    for (const filter of filters) this.remove(filter, subscriber);
  }

  /**
   * Visits each subscriber of a topic once, with the maximum QoS of its filters that match.
   * The visitor may add and remove subscriptions; those count from the next topic on.
   * [MQTT-3.3.5-1]
   */
  match(topic: string, visit: VisitSubscriber<S>): void {
    for (const [subscriber, qos] of merge(findMatching(this.#tree.root, topic))) {
      visit(subscriber, qos);
    }
  }
}

/** Each subscriber once, in memory that no later subscription changes. */
function merge<S>(found: readonly ReadonlyMap<S, Qos>[]): Iterable<readonly [S, Qos]> {
  const [only] = found;
  if (only !== undefined && found.length === 1) return [...only];
  const merged = new Map<S, Qos>();
  for (const subscribers of found) {
    for (const [subscriber, qos] of subscribers) {
      if (qos >= (merged.get(subscriber) ?? 0)) merged.set(subscriber, qos);
    }
  }
  return merged;
}

/**
 * The values of all filters that match a topic, found level by level. At most two branches leave
 * a node for one topic, and no branch is followed that no subscription made.
 */
function findMatching<V>(root: LevelNode<V>, topic: string): V[] {
  const found: V[] = [];
  const take = (node: LevelNode<V> | undefined): void => {
    if (node?.value !== undefined) found.push(node.value);
  };
  // A wildcard at the front does not reach the topics of the system. [MQTT-4.7.2-1]
  let isWildcardOpen = !topic.startsWith('$');
  let nodes = [root];
  for (const level of topic.split('/')) {
    const next: LevelNode<V>[] = [];
    for (const { children } of nodes) {
      if (children === undefined) continue;
      const exact = children.get(level);
      if (exact !== undefined) next.push(exact);
      if (!isWildcardOpen) continue;
      const any = children.get('+');
      if (any !== undefined) next.push(any);
      take(children.get('#'));
    }
    nodes = next;
    isWildcardOpen = true;
  }
  for (const node of nodes) {
    take(node);
    // "a/#" matches "a" too. MQTT 3.1.1 §4.7.1.2
    take(node.children?.get('#'));
  }
  return found;
}
