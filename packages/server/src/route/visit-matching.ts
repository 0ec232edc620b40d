/** Finds the topics that a filter matches. @module */
import type { LevelNode } from './level-tree.ts';

/**
 * Visits the values of all topics that a filter matches, one node a step; a step that finds no
 * value gives undefined, so that whoever asks for steps bounds the work. The tree may change
 * between two steps: what is there from the first to the last step is found.
 */
export function* visitMatching<V>(
  root: LevelNode<V>,
  filter: string,
): Generator<V | undefined, void> {
  const levels = filter.split('/');
  /** Nodes yet to visit, each with how many levels of the filter lead to it. */
  const stack: { readonly nodes: Iterator<LevelNode<V>>; readonly depth: number }[] = [];
  let node: LevelNode<V> | undefined = root;
  let depth = 0;
  for (;;) {
    for (let name = levels[depth]; node !== undefined && isName(name); name = levels[depth]) {
      node = node.children?.get(name);
      depth += 1;
    }
    const wildcard = levels[depth];
    if (node?.children !== undefined && wildcard !== undefined) {
      // A wildcard at the front does not reach the topics of the system. [MQTT-4.7.2-1]
      const nodes = node === root ? withoutSystem(node.children) : node.children.values();
      stack.push({ nodes, depth: wildcard === '#' ? depth : depth + 1 });
    }
    // "a/#" matches "a" too. MQTT 5 §4.7.1.2
    yield wildcard === '+' ? undefined : node?.value;
    node = undefined;
    while (node === undefined) {
      const top = stack.at(-1);
      if (top === undefined) return;
      const next = top.nodes.next();
      if (next.done === true) stack.pop();
      else {
        node = next.value;
        ({ depth } = top);
      }
    }
  }
}

function* withoutSystem<V>(
  children: ReadonlyMap<string, LevelNode<V>>,
): Generator<LevelNode<V>, void> {
  for (const [level, node] of children) {
    if (!level.startsWith('$')) yield node;
  }
}

function isName(level: string | undefined): level is string {
  return level !== undefined && level !== '+' && level !== '#';
}
