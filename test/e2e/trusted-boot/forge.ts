/** Images that must not boot, made out of one that does. @module */
import { createHash } from 'node:crypto';
import { SIGNED_NODES, decodeTree, encodeTree } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import {
  type TreeNode,
  childOf,
  node,
  text,
  valueOf,
  withChild,
  withProperties,
} from '../../../packages/firmware/src/fit/tree.ts';

/** One bit of the kernel is another one. */
export function flipped(image: Buffer): Buffer {
  return changed(image, ['images', 'kernel-1'], (kernel) =>
    withProperties(kernel, [['data', flippedData(kernel)]]),
  );
}

/** One bit of the kernel is another one, and its hash is right again. */
export function rehashed(image: Buffer): Buffer {
  return changed(image, ['images', 'kernel-1'], (kernel) =>
    withContent(kernel, flippedData(kernel)),
  );
}

/** The kernel is that of another image, which is signed as well. */
export function mixed(image: Buffer, other: Buffer): Buffer {
  const decoded = decodeTree(other);
  if (decoded instanceof Refusal) throw new Error(decoded.detail);
  const [kernel] = decoded.root.children[0]?.children ?? [];
  return changed(image, ['images', 'kernel-1'], (own) => kernel ?? own);
}

/** The signature is gone. */
export function unsigned(image: Buffer): Buffer {
  return changed(image, ['configurations', 'conf-1'], (configuration) => ({
    ...configuration,
    children: [],
  }));
}

/** The image calls for a kernel of the attacker, loaded to another place. */
export function redirected(image: Buffer, evil: Uint8Array): Buffer {
  const added = changed(image, ['images'], (images) => {
    const kernel = childOf(images, 'kernel-1') ?? node('', []);
    return withChild(images, { ...withContent(kernel, evil), name: 'kernel-2' });
  });
  return changed(added, ['configurations', 'conf-1'], (configuration) =>
    withProperties(configuration, [['kernel', text('kernel-2')]]),
  );
}

/**
 * The kernel is the attacker's; the genuine one stands deeper, and the list of signed nodes, which
 * no signature covers, sends the boot loader there. So the signed bytes are all present.
 */
export function listedElsewhere(image: Buffer, evil: Uint8Array): Buffer {
  const moved = changed(image, ['images'], (images) => {
    const genuine = childOf(images, 'kernel-1') ?? node('', []);
    const rest = images.children.filter(({ name }) => name !== 'kernel-1');
    const children = [withContent(genuine, evil), node('z', [], [genuine]), ...rest];
    return { ...images, children };
  });
  const list = SIGNED_NODES.map((path) => path.replace('/images/kernel-1', '/images/z/kernel-1'));
  return changed(moved, ['configurations', 'conf-1', 'signature-1'], (signature) =>
    withProperties(signature, [['hashed-nodes', text(...list)]]),
  );
}

/** Changes one node, and keeps the order of all else. */
function changed(
  image: Buffer,
  path: readonly string[],
  change: (of: TreeNode) => TreeNode,
): Buffer {
  const decoded = decodeTree(image);
  if (decoded instanceof Refusal) throw new Error(decoded.detail);
  return encodeTree(changedBelow(decoded.root, path, change), decoded.extras);
}

function changedBelow(
  of: TreeNode,
  path: readonly string[],
  change: (of: TreeNode) => TreeNode,
): TreeNode {
  const [next, ...rest] = path;
  if (next === undefined) return change(of);
  const children = of.children.map((child) =>
    child.name === next ? changedBelow(child, rest, change) : child,
  );
  return { ...of, children };
}

function flippedData(kernel: TreeNode): Buffer {
  const data = Buffer.from(valueOf(kernel, 'data') ?? '');
  const last = data.length - 4;
  data.writeUInt8(data.readUInt8(last) ^ 1, last);
  return data;
}

function withContent(part: TreeNode, content: Uint8Array): TreeNode {
  const digest = createHash('sha256').update(content).digest();
  const hash = withProperties(childOf(part, 'hash-1') ?? node('', []), [['value', digest]]);
  return withChild(withProperties(part, [['data', content]]), hash);
}
