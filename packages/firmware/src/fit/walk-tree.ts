/** Walks through the structure block of a device tree. @see Devicetree Specification 0.4 §5 @module */
import { HEADER_BYTES, RESERVATION_BYTES, TREE_MAGIC, Tag, VERSION } from './encode-tree.ts';
import { TREE_NAME_BYTES_MAX } from './limits.ts';

/** Where the blocks of a blob stand, in bytes from its beginning. */
export interface TreeLayout {
  readonly reservationsAt: number;
  readonly structureAt: number;
  readonly structureLength: number;
  readonly stringsAt: number;
  readonly stringsLength: number;
  readonly bootProcessor: number;
}

/** One tag with what belongs to it; `at` and `next` count from the beginning of the blob. */
export type TreeStep = { readonly at: number; readonly next: number } & (
  | { readonly kind: 'begin'; readonly name: string }
  | { readonly kind: 'property'; readonly name: string; readonly value: Uint8Array }
  | { readonly kind: 'end-node' | 'nop' | 'end' }
);

/** Reads the header; undefined when it is no blob of version 17, or its blocks lie outside. */
export function treeLayout(blob: Uint8Array): TreeLayout | undefined {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (blob.length < HEADER_BYTES || view.getUint32(0) !== TREE_MAGIC) return undefined;
  const at = (index: number): number => view.getUint32(index * 4);
  const layout = {
    structureAt: at(2),
    stringsAt: at(3),
    reservationsAt: at(4),
    bootProcessor: at(7),
    stringsLength: at(8),
    structureLength: at(9),
  };
  const total = at(1);
  const isWhole =
    at(5) === VERSION &&
    total <= blob.length &&
    layout.structureAt % 4 === 0 &&
    layout.structureAt + layout.structureLength <= total &&
    layout.stringsAt + layout.stringsLength <= total &&
    layout.reservationsAt + RESERVATION_BYTES <= layout.structureAt;
  return isWhole ? layout : undefined;
}

/** All steps of a blob, the end included; it stops without one where the block is broken. */
export function* walkTree(blob: Uint8Array, layout: TreeLayout): Generator<TreeStep> {
  const end = layout.structureAt + layout.structureLength;
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  let at = layout.structureAt;
  while (at + 4 <= end) {
    const step = stepAt({ blob, view, layout, at, end });
    if (step === undefined || step.next > end) return;
    yield step;
    if (step.kind === 'end') return;
    at = step.next;
  }
}

interface Place {
  readonly blob: Uint8Array;
  readonly view: DataView;
  readonly layout: TreeLayout;
  readonly at: number;
  readonly end: number;
}

function stepAt(place: Place): TreeStep | undefined {
  const { view, at } = place;
  const tag = view.getUint32(at);
  if (tag === Tag.EndNode) return { kind: 'end-node', at, next: at + 4 };
  if (tag === Tag.Nop) return { kind: 'nop', at, next: at + 4 };
  if (tag === Tag.End) return { kind: 'end', at, next: at + 4 };
  if (tag === Tag.BeginNode) return beginAt(place);
  return tag === Tag.Property ? propertyAt(place) : undefined;
}

function beginAt({ blob, at, end }: Place): TreeStep | undefined {
  const name = stringAt(blob, at + 4, end);
  if (name === undefined) return undefined;
  return { kind: 'begin', name: name.text, at, next: aligned(at + 4 + name.length + 1) };
}

function propertyAt({ blob, view, layout, at, end }: Place): TreeStep | undefined {
  if (at + 12 > end) return undefined;
  const length = view.getUint32(at + 4);
  const nameAt = view.getUint32(at + 8);
  const stringsEnd = layout.stringsAt + layout.stringsLength;
  const from = layout.stringsAt + nameAt;
  const name = stringAt(blob, from, Math.min(stringsEnd, from + TREE_NAME_BYTES_MAX + 1));
  if (name === undefined || at + 12 + length > end) return undefined;
  const value = blob.subarray(at + 12, at + 12 + length);
  return { kind: 'property', name: name.text, value, at, next: aligned(at + 12 + length) };
}

function stringAt(
  blob: Uint8Array,
  from: number,
  end: number,
): { text: string; length: number } | undefined {
  const length = blob.subarray(from, end).indexOf(0);
  if (length === -1) return undefined;
  return { text: Buffer.from(blob.subarray(from, from + length)).toString('latin1'), length };
}

function aligned(at: number): number {
  return Math.ceil(at / 4) * 4;
}
