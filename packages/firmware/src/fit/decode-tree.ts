/** Reads a device tree from a blob. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { RESERVATION_BYTES, type TreeExtras } from './encode-tree.ts';
import { TREE_BYTES_MAX, TREE_DEPTH_MAX } from './limits.ts';
import type { TreeNode, TreeProperty } from './tree.ts';
import { type TreeLayout, treeLayout, walkTree } from './walk-tree.ts';

/** A tree, with what its blob carried beside it. */
export interface DecodedTree {
  readonly root: TreeNode;
  readonly extras: TreeExtras;
}

/** Reads a blob, as `dtc` and boot loaders write it. */
export function decodeTree(blob: Uint8Array): DecodedTree | Refusal {
  if (blob.length > TREE_BYTES_MAX) return broken(`It has more than ${TREE_BYTES_MAX} bytes.`);
  const layout = treeLayout(blob);
  if (layout === undefined) return broken('It does not begin as a device tree of version 17 does.');
  const reservations = reservationsOf(blob, layout);
  const root = rootOf(blob, layout);
  if (root === undefined || reservations === undefined) {
    return broken('It breaks off, or its nodes do not close.');
  }
  return { root, extras: { reservations, bootProcessor: layout.bootProcessor } };
}

interface OpenNode {
  readonly name: string;
  readonly properties: TreeProperty[];
  readonly children: TreeNode[];
}

function rootOf(blob: Uint8Array, layout: TreeLayout): TreeNode | undefined {
  const outside: OpenNode = { name: '', properties: [], children: [] };
  const open = [outside];
  for (const step of walkTree(blob, layout)) {
    const current = open.at(-1) ?? outside;
    if (step.kind === 'begin') {
      const child: OpenNode = { name: step.name, properties: [], children: [] };
      current.children.push(child);
      open.push(child);
      if (open.length > TREE_DEPTH_MAX) return undefined;
    } else if (step.kind === 'property') {
      current.properties.push([step.name, step.value]);
    } else if (step.kind === 'end-node') {
      if (open.length === 1) return undefined;
      open.pop();
    } else if (step.kind === 'end') {
      const isOne = open.length === 1 && outside.children.length === 1;
      return isOne && outside.properties.length === 0 ? outside.children[0] : undefined;
    }
  }
  return undefined;
}

/** The block up to its end entry, which is all zero. */
function reservationsOf(blob: Uint8Array, layout: TreeLayout): Uint8Array | undefined {
  const { reservationsAt, structureAt } = layout;
  let at = reservationsAt;
  while (at + RESERVATION_BYTES <= structureAt) {
    const entry = blob.subarray(at, at + RESERVATION_BYTES);
    at += RESERVATION_BYTES;
    if (entry.every((byte) => byte === 0)) return blob.subarray(reservationsAt, at);
  }
  return undefined;
}

function broken(why: string): Refusal {
  return refuse('E_UPDATE_FIT', `The file is no device tree. ${why}`);
}
