/** Writes a device tree as a blob. @see Devicetree Specification 0.4 §5 @module */
import type { TreeNode } from './tree.ts';

/** What a blob carries beside its nodes. */
export interface TreeExtras {
  /** The memory reservation block with its end entry: 16 bytes each. None unless told. */
  readonly reservations?: Uint8Array | undefined;
  /** Physical id of the processor that boots. */
  readonly bootProcessor?: number | undefined;
}

/** Writes a blob of version 17. The same tree gives the same bytes. */
export function encodeTree(root: TreeNode, extras: TreeExtras = {}): Buffer {
  const reservations = extras.reservations ?? Buffer.alloc(RESERVATION_BYTES);
  const names = new NameBlock();
  const structure = Buffer.concat([...structureOf(root, names), word(Tag.End)]);
  const strings = names.bytes();
  const structureAt = HEADER_BYTES + reservations.length;
  const stringsAt = structureAt + structure.length;
  const header = [
    TREE_MAGIC,
    stringsAt + strings.length,
    structureAt,
    stringsAt,
    HEADER_BYTES,
    VERSION,
    COMPATIBLE_VERSION,
    extras.bootProcessor ?? 0,
    strings.length,
    structure.length,
  ];
  return Buffer.concat([...header.map(word), reservations, structure, strings]);
}

/** Tags of the structure block. §5.4.1 */
export const Tag = { BeginNode: 1, EndNode: 2, Property: 3, Nop: 4, End: 9 } as const;

/** First word of a blob. §5.2 */
export const TREE_MAGIC = 0xd00dfeed;
/** Bytes of the header of version 17. */
export const HEADER_BYTES = 40;
/** Bytes of a memory reservation. §5.3.2 */
export const RESERVATION_BYTES = 16;
/** The version that is written, and the only one that is read. */
export const VERSION = 17;

function* structureOf(of: TreeNode, names: NameBlock): Generator<Uint8Array> {
  yield word(Tag.BeginNode);
  yield* padded(Buffer.from(`${of.name}\0`, 'utf8'));
  for (const [name, value] of of.properties) {
    yield word(Tag.Property);
    yield word(value.length);
    yield word(names.offsetOf(name));
    yield* padded(value);
  }
  for (const child of of.children) yield* structureOf(child, names);
  yield word(Tag.EndNode);
}

function* padded(bytes: Uint8Array): Generator<Uint8Array> {
  yield bytes;
  const rest = bytes.length % 4;
  if (rest !== 0) yield Buffer.alloc(4 - rest);
}

/** Names of properties, each once. */
class NameBlock {
  readonly #offsets = new Map<string, number>();
  #length = 0;

  offsetOf(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = this.#length;
    this.#offsets.set(name, offset);
    this.#length += Buffer.byteLength(name) + 1;
    return offset;
  }

  bytes(): Buffer {
    return Buffer.from([...this.#offsets.keys()].map((name) => `${name}\0`).join(''), 'utf8');
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const COMPATIBLE_VERSION = 16;
