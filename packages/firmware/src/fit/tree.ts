/** A device tree in memory. @see Devicetree Specification 0.4 §2 @module */

/** A node: what it is called in its parent, its properties in order, and its children. */
export interface TreeNode {
  /** Empty for the root. */
  readonly name: string;
  readonly properties: readonly TreeProperty[];
  readonly children: readonly TreeNode[];
}

/** A property; what its bytes mean depends on its name. */
export type TreeProperty = readonly [name: string, value: Uint8Array];

/** Makes a node. */
export function node(
  name: string,
  properties: readonly TreeProperty[],
  children: readonly TreeNode[] = [],
): TreeNode {
  return { name, properties, children };
}

/** The value of one or several strings, each with its NUL. @throws TypeError for a NUL within */
export function text(...strings: readonly string[]): Uint8Array {
  if (strings.some((string) => string.includes('\0'))) throw new TypeError('a NUL in a string');
  return Buffer.from(strings.map((string) => `${string}\0`).join(''), 'utf8');
}

/** The value of 32-bit numbers, the highest byte first. */
export function cells(...numbers: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, index) => bytes.writeUInt32BE(number, index * 4));
  return bytes;
}

/** The value of a property; undefined when the node has none of this name. */
export function valueOf(of: TreeNode, name: string): Uint8Array | undefined {
  return of.properties.find(([its]) => its === name)?.[1];
}

/** The child of this name. */
export function childOf(of: TreeNode, name: string): TreeNode | undefined {
  return of.children.find((child) => child.name === name);
}

/** The node with these properties: known ones stay in their places, new ones come last. */
export function withProperties(of: TreeNode, properties: readonly TreeProperty[]): TreeNode {
  const given = new Map(properties);
  const kept = of.properties.map(([name, value]): TreeProperty => [name, given.get(name) ?? value]);
  const known = new Set(of.properties.map(([name]) => name));
  return { ...of, properties: [...kept, ...properties.filter(([name]) => !known.has(name))] };
}

/** The node with this child in the place of that of the same name, or behind the others. */
export function withChild(of: TreeNode, child: TreeNode): TreeNode {
  const isKnown = of.children.some(({ name }) => name === child.name);
  const kept = of.children.map((old) => (old.name === child.name ? child : old));
  return { ...of, children: isKnown ? kept : [...kept, child] };
}
