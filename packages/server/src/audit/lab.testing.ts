/** A signed log in memory, and witnesses of it, for tests. @module */
import { generateKeyPairSync, hash, sign } from 'node:crypto';
import {
  type CheckpointVerifier,
  HASH_BYTES,
  type NoteSigner,
  Problem,
  type TileName,
  TileWriter,
  cosign,
  formatCheckpoint,
  formatCosignerKey,
  formatNote,
  hashReader,
  parseNote,
  rootAt,
  signCheckpoint,
} from '@holdfast/protocol/merkle';
import type { Clock } from '../kernel/index.ts';
import { ed25519Verify, rawPublicKey, sha256 } from './log-key.ts';
import type { WitnessesDeps } from './witnesses.ts';

/** Somebody who signs: a log, or a witness. */
export function labSigner(name: string): NoteSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signWith = (message: Uint8Array): Uint8Array => sign(null, message, privateKey);
  return { name, publicKey: rawPublicKey(publicKey), sign: signWith };
}

/** A log of numbers; two with the same key and other numbers are a split view. */
export class LabLog {
  readonly signer: NoteSigner;
  readonly #tree = TileWriter.empty(sha256);
  readonly #tiles = new Map<string, Uint8Array>();

  constructor(signer: NoteSigner = labSigner('holdfast/lab')) {
    this.signer = signer;
  }

  get size(): number {
    return this.#tree.size;
  }

  get verifier(): CheckpointVerifier {
    return { ...this.signer, verify: ed25519Verify };
  }

  /** What is served of it. */
  readonly tiles = {
    read: ({ level, index, width }: TileName): Uint8Array | undefined => {
      const hashes = this.#tiles.get(`${level}/${index}`);
      if (hashes === undefined || hashes.length < width * HASH_BYTES) return undefined;
      return hashes.subarray(0, width * HASH_BYTES);
    },
    rootAt: (size: number): Uint8Array => {
      const readTile = (level: number, index: number) => this.#tiles.get(`${level}/${index}`);
      return rootAt(sha256, hashReader(sha256, readTile), size);
    },
  };

  /** Appends as many entries; `what` makes them others. */
  append(count: number, what = ''): this {
    for (let at = 0; at < count; at += 1) {
      this.#tree.append(hash('sha256', `${what}${this.size}`, 'buffer'));
    }
    for (const { level, index, hashes } of this.#tree.takeChanged()) {
      this.#tiles.set(`${level}/${index}`, hashes.slice());
    }
    return this;
  }

  /** The signed checkpoint of its first entries. */
  checkpoint(size: number = this.size): string {
    const body = { origin: this.signer.name, size, root: this.tiles.rootAt(size), extensions: [] };
    return signCheckpoint(sha256, formatCheckpoint(body), this.signer);
  }

  /** What a register of its witnesses needs. */
  asSeenAt(clock: Clock): WitnessesDeps {
    const { verifier, tiles } = this;
    return { clock, verifier, tiles, logSize: () => this.size };
  }
}

/** The text form of a witness key. */
export function labKey(witness: NoteSigner): string {
  return formatCosignerKey(sha256, witness);
}

/** Adds the cosignature of a witness to a checkpoint. */
export function labCosigned(note: string, witness: NoteSigner, timeS: number): string {
  const parsed = parseNote(note);
  if (parsed instanceof Problem) throw new Error(parsed.problem);
  const line = cosign(sha256, { note, timeS }, witness);
  return formatNote({ text: parsed.text, signatures: [...parsed.signatures, line] });
}
