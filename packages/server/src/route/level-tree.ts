/** A map from topic names or filters to values, kept as a tree of their levels. @module */

/** One level. What is undefined is not there: most nodes have either children or a value. */
export interface LevelNode<V> {
  readonly children: ReadonlyMap<string, LevelNode<V>> | undefined;
  readonly value: V | undefined;
}

/**
 * The tree below the subscriptions and the retained messages: they walk it from {@link root}
 * each in its own way. Its depth is bounded, as names and filters were checked before.
 */
export class LevelTree<V> {
  readonly #root: MutableNode<V> = { children: undefined, value: undefined };

  get root(): LevelNode<V> {
    return this.#root;
  }

  get isEmpty(): boolean {
    return this.#root.children === undefined;
  }

  find(path: string): V | undefined {
    let node: LevelNode<V> | undefined = this.#root;
    for (const level of path.split('/')) node = node?.children?.get(level);
    return node?.value;
  }

  put(path: string, value: V): void {
    let node = this.#root;
    for (const level of path.split('/')) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = { children: undefined, value: undefined };
        node.children.set(level, child);
      }
      node = child;
    }
    node.value = value;
  }

  /** Removes a value, and the nodes that only it needed. */
  delete(path: string): void {
    const steps: { readonly parent: MutableNode<V>; readonly level: string }[] = [];
    let node = this.#root;
    for (const level of path.split('/')) {
      const child = node.children?.get(level);
      if (child === undefined) return;
      steps.push({ parent: node, level });
      node = child;
    }
    node.value = undefined;
    for (const { parent, level } of steps.reverse()) {
      if (node.value !== undefined || node.children !== undefined) return;
      parent.children?.delete(level);
      if (parent.children?.size === 0) parent.children = undefined;
      node = parent;
    }
  }
}

interface MutableNode<V> {
  children: Map<string, MutableNode<V>> | undefined;
  value: V | undefined;
}
