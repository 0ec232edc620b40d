/** Finds the filters that match a topic without looking at every filter. @module */
import { type LevelNode, LevelTree } from './level-tree.ts';

/**
 * Values under topic filters. Filters and topics were checked before (`checkTopicFilter`,
 * `checkTopicName`).
 *
 * @see MQTT 5 §4.7
 */
export class TopicTrie<V> extends LevelTree<V> {
  /**
   * The values of all filters that match a topic, found level by level. At most two branches leave
   * a node for one topic, and no branch is followed that no filter made.
   */
  matching(topic: string): V[] {
    const found: V[] = [];
    const take = (node: LevelNode<V> | undefined): void => {
      if (node?.value !== undefined) found.push(node.value);
    };
    // A wildcard at the front does not reach the topics of the system. [MQTT-4.7.2-1]
    let isWildcardOpen = !topic.startsWith('$');
    let nodes = [this.root];
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
      if (next.length === 0) return found;
      nodes = next;
      isWildcardOpen = true;
    }
    for (const node of nodes) {
      take(node);
      // "a/#" matches "a" too. MQTT 5 §4.7.1.2
      take(node.children?.get('#'));
    }
    return found;
  }
}
