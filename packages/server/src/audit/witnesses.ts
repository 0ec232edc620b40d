/** The witnesses of the log, and what each one has cosigned last. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  type Checkpoint,
  type CheckpointVerifier,
  type NoteSignature,
  Problem,
  cosignerKeyId,
  formatNote,
  noteKeyId,
  parseCosignerKey,
  parseNote,
  verifyCheckpoint,
  verifyCosignature,
} from '@holdfast/protocol/merkle';
import { z } from 'zod';
import type { Clock } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { WITNESSES_MAX, WITNESS_CLOCK_AHEAD_MS_MAX } from './limits.ts';
import { ed25519Verify, sha256 } from './log-key.ts';

const CosignedSchema = z.strictObject({
  size: z.int().min(0),
  /** When the witness cosigned; milliseconds since 1970, of its own clock. */
  atMs: z.int().min(0),
  /** The checkpoint, signed by the log, and cosigned by this witness. */
  note: z.string(),
});

/** What a witness has seen. */
const SeenSchema = z.strictObject({
  id: z.string(),
  latest: CosignedSchema.optional(),
  /** What it has seen that this log does not have. */
  alarm: CosignedSchema.optional(),
});

const KeySchema = z.strictObject({
  /** Key id in hex. */
  id: z.string(),
  name: z.string(),
  /** In the text form of a witness key. */
  key: z.string(),
  addedAtMs: z.int(),
});

/** A witness that an operator trusts, and what it has seen. */
export type Witness = Readonly<z.infer<typeof KeySchema> & z.infer<typeof SeenSchema>>;

/** What became of a cosigned checkpoint that was handed over. */
export interface TakenCosignatures {
  /** The witnesses whose cosignatures were on it, valid. */
  readonly witnesses: readonly Witness[];
  /** True when the log is behind what they have seen, or another one. */
  readonly isBehind: boolean;
}

/** What witnesses are checked against. */
export interface WitnessesDeps {
  readonly clock: Clock;
  /** The key of this log. */
  readonly verifier: CheckpointVerifier;
  readonly tiles: { readonly rootAt: (size: number) => Uint8Array };
  /** Durable entries of this log. */
  readonly logSize: () => number;
}

/** The witnesses of one log. */
export class Witnesses {
  readonly #keys: Collection<z.infer<typeof KeySchema>>;
  readonly #seen: Collection<z.infer<typeof SeenSchema>>;
  readonly #deps: WitnessesDeps;
  readonly #witnesses = new Map<string, Witness>();

  constructor(store: SealedStore, deps: WitnessesDeps) {
    this.#keys = store.collection('witness', KeySchema);
    // A cosignature each minute is no change of the registry: noted on the log as one, it would
    // make the next checkpoint, and that one the next cosignature.
    this.#seen = store.collection('cosigned', SeenSchema, { isCounted: false });
    this.#deps = deps;
    for (const key of this.#keys.all()) {
      this.#witnesses.set(key.id, { ...this.#seen.read(key.id), ...key });
    }
  }

  /** All witnesses, in the order of their names. */
  all(): Witness[] {
    return [...this.#witnesses.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What is to be kept for a key. Refuses `E_AUDIT_WITNESS_KEY` and `E_OPERATE_CONFLICT`. */
  prepare(text: string): Witness | Refusal {
    const key = parseCosignerKey(sha256, text.trim());
    if (key instanceof Problem) return refuse('E_AUDIT_WITNESS_KEY', `${key.problem}.`);
    const id = cosignerKeyId(sha256, key).toHex();
    if (this.#witnesses.has(id)) return refuse('E_OPERATE_CONFLICT', 'It is a witness already.');
    if (this.#witnesses.size >= WITNESSES_MAX) {
      return refuse('E_OPERATE_CONFLICT', `There are ${WITNESSES_MAX} witnesses already.`);
    }
    const addedAtMs = this.#deps.clock.nowMs();
    return { id, name: key.name, key: text.trim(), addedAtMs };
  }

  add(witness: Witness): void {
    const { id, name, key, addedAtMs } = witness;
    this.#keys.write(id, { id, name, key, addedAtMs });
    this.#witnesses.set(id, witness);
  }

  /** Trusts a witness no more. @returns it, or undefined when there is none of this id. */
  remove(id: string): Witness | undefined {
    const witness = this.#witnesses.get(id);
    this.#witnesses.delete(id);
    this.#keys.remove(id);
    this.#seen.remove(id);
    return witness;
  }

  /**
   * Takes a checkpoint that one or more of the witnesses have cosigned. One that is not of this
   * log as it is now, though its key signed it, is kept as an alarm.
   * Refuses `E_AUDIT_COSIGNATURE`.
   */
  take(note: string): TakenCosignatures | Refusal {
    const checkpoint = verifyCheckpoint(sha256, note, this.#deps.verifier);
    if (checkpoint instanceof Problem) {
      return refuse(
        'E_AUDIT_COSIGNATURE',
        `The checkpoint is not of this log: ${checkpoint.problem}.`,
      );
    }
    const isBehind = !this.#isOurs(checkpoint);
    const taken: Witness[] = [];
    for (const witness of this.all()) {
      const atMs = this.#cosignedAt(note, witness);
      if (atMs instanceof Refusal) return atMs;
      if (atMs === undefined) continue;
      const cosigned = { size: checkpoint.size, atMs, note: onlyWith(note, witness, this.#deps) };
      taken.push(this.#taken(witness, cosigned, isBehind));
    }
    if (taken.length > 0) return { witnesses: taken, isBehind };
    return refuse('E_AUDIT_COSIGNATURE', 'No known witness has cosigned this checkpoint.');
  }

  /** The newest checkpoint that a witness has cosigned, with all cosignatures of its size. */
  newest(): { readonly size: number; readonly note: string } | undefined {
    const cosigned = this.all().flatMap(({ latest }) => (latest === undefined ? [] : [latest]));
    const size = Math.max(-1, ...cosigned.map((one) => one.size));
    const [first, ...others] = cosigned.filter((one) => one.size === size);
    if (first === undefined) return undefined;
    const parsed = noteOf(first.note);
    const added = others.flatMap(({ note }) => noteOf(note).signatures.slice(1));
    return {
      size,
      note: formatNote({ text: parsed.text, signatures: [...parsed.signatures, ...added] }),
    };
  }

  #isOurs({ size, root }: Checkpoint): boolean {
    if (size > this.#deps.logSize()) return false;
    try {
      return Buffer.from(this.#deps.tiles.rootAt(size)).equals(root);
    } catch {
      return false;
    }
  }

  /** When a witness cosigned; undefined where it has not. */
  #cosignedAt(note: string, witness: Witness): number | undefined | Refusal {
    const key = parseCosignerKey(sha256, witness.key);
    if (key instanceof Problem || !hasLineOf(note, witness)) return undefined;
    const checked = verifyCosignature(sha256, note, { ...key, verify: ed25519Verify });
    if (checked instanceof Problem) return refuse('E_AUDIT_COSIGNATURE', `${checked.problem}.`);
    const atMs = checked.timeS * 1_000;
    if (atMs <= this.#deps.clock.nowMs() + WITNESS_CLOCK_AHEAD_MS_MAX) return atMs;
    return refuse('E_AUDIT_COSIGNATURE', `The clock of ${witness.name} is ahead.`);
  }

  #taken(witness: Witness, cosigned: NonNullable<Witness['latest']>, isBehind: boolean): Witness {
    if (isBehind) return this.#keep({ ...witness, alarm: cosigned });
    const { latest } = witness;
    const isNewer =
      latest === undefined ||
      cosigned.size > latest.size ||
      (cosigned.size === latest.size && cosigned.atMs > latest.atMs);
    return isNewer ? this.#keep({ ...witness, latest: cosigned }) : witness;
  }

  #keep(witness: Witness): Witness {
    const { id, latest, alarm } = witness;
    this.#seen.write(id, { id, latest, alarm });
    this.#witnesses.set(id, witness);
    return witness;
  }
}

function hasLineOf(note: string, { id, name }: Witness): boolean {
  return noteOf(note).signatures.some((line) => line.name === name && line.keyId.toHex() === id);
}

/** The note with the signature of the log and that of one witness, in this order. */
function onlyWith(note: string, witness: Witness, { verifier }: WitnessesDeps): string {
  const { text, signatures } = noteOf(note);
  const lineOf = (name: string, id: string): NoteSignature | undefined =>
    signatures.findLast((line) => line.name === name && line.keyId.toHex() === id);
  const own = lineOf(verifier.name, noteKeyId(sha256, verifier).toHex());
  const cosigned = lineOf(witness.name, witness.id);
  return formatNote({ text, signatures: [own, cosigned].filter((line) => line !== undefined) });
}

/** A note that was verified before. */
function noteOf(note: string): Exclude<ReturnType<typeof parseNote>, Problem> {
  const parsed = parseNote(note);
  if (parsed instanceof Problem) throw new Error(parsed.problem);
  return parsed;
}
