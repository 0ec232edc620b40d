/** The key of backups: names chunks, and seals them. @module */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { SEAL_OVERHEAD_BYTES, deriveKey, open, seal } from '../crypto/index.ts';
import { type RandomBytes, Secret, type SecretBytes } from '../kernel/index.ts';
import { damagedFault } from './faults.ts';
import { CHUNKS_PREFIX } from './manifest.ts';

const NAME_HEX = /^[0-9a-f]{64}$/u;

/** A chunk as the manifest names it. */
export interface ChunkRef {
  /** HMAC-SHA256 of its content, lower-case hex: equal chunks have equal names, and tell no more. */
  readonly name: string;
  /** Bytes of its content. */
  readonly bytes: number;
}

/** What is done with the key of backups. */
export class BackupKey {
  /** Number of the data key. */
  readonly ref: number;
  readonly #nameKey: SecretBytes;
  readonly #chunkKey: SecretBytes;
  readonly #partKey: SecretBytes;

  constructor(ref: number, root: SecretBytes) {
    this.ref = ref;
    this.#nameKey = deriveKey(root, 'holdfast/backup-name/v1');
    this.#chunkKey = deriveKey(root, 'holdfast/backup-chunk/v1');
    this.#partKey = deriveKey(root, 'holdfast/backup-part/v1');
  }

  nameOf(content: Uint8Array): string {
    return createHmac('sha256', this.#nameKey.expose()).update(content).digest('hex');
  }

  /** Key of the object that holds a chunk. */
  objectOf(name: string): string {
    if (!NAME_HEX.test(name)) throw damagedFault('the name of a chunk is none');
    return `${this.chunkPrefix}${name.slice(0, 2)}/${name}`;
  }

  get chunkPrefix(): string {
    return `${CHUNKS_PREFIX}${this.ref}/`;
  }

  /** Bytes of the object that holds a chunk. */
  sealedBytes({ bytes }: Pick<ChunkRef, 'bytes'>): number {
    return bytes + SEAL_OVERHEAD_BYTES;
  }

  sealChunk(name: string, content: Uint8Array, random: RandomBytes): Buffer {
    return seal(content, { key: this.#chunkKey.expose(), aad: chunkContext(name), random });
  }

  /** @throws Fault `E_CRYPTO_OPEN`, or `E_BACKUP_DAMAGED` when it holds something else. */
  openChunk({ name, bytes }: ChunkRef, sealed: Uint8Array): Buffer {
    const content = open(sealed, { key: this.#chunkKey.expose(), aad: chunkContext(name) });
    const found = Buffer.from(this.nameOf(content), 'hex');
    const isMeant = timingSafeEqual(found, Buffer.from(name, 'hex'));
    if (!isMeant || content.length !== bytes) throw damagedFault(`chunk ${name} holds another one`);
    return content;
  }

  /** Seals a part of an object, such as the list of chunks. @param what - The object and the part. */
  sealPart(what: string, content: Uint8Array, random: RandomBytes): Buffer {
    return seal(content, { key: this.#partKey.expose(), aad: partContext(what), random });
  }

  /** @throws Fault `E_CRYPTO_OPEN`. */
  openPart(what: string, sealed: Uint8Array): Buffer {
    return open(sealed, { key: this.#partKey.expose(), aad: partContext(what) });
  }
}

/** The bytes of a data key, for another thread of this process. */
export function backupKeyFrom(ref: number, root: Uint8Array): BackupKey {
  return new BackupKey(ref, new Secret(root));
}

function chunkContext(name: string): Buffer {
  return Buffer.from(`holdfast/backup-chunk/v1/${name}`, 'latin1');
}

function partContext(what: string): Buffer {
  return Buffer.from(`holdfast/backup-part/v1/${what}`, 'utf8');
}
