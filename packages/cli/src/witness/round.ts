/** One look of a witness at a log. C2SP tlog-cosignature, tlog-tiles @module */
import {
  Problem,
  cosign,
  formatNote,
  parseNote,
  verifyCheckpoint,
  verifyCosignature,
} from '@holdfast/protocol/merkle';
import type { Checkpoint, CheckpointVerifier, SignedNote } from '@holdfast/protocol/merkle';
import { Failure } from '../failure.ts';
import { sha256, verifyEd25519 } from '../note-crypto.ts';
import type { WitnessFolder } from './folder.ts';
import { judgeGrowth } from './growth.ts';
import type { FetchTile } from './growth.ts';

/** Where a witness sees the log. */
export interface LogSource {
  checkpoint(): Promise<string>;
  readonly tile: FetchTile;
}

/** What a round came to. */
export interface Round {
  readonly size: number;
  /** The checkpoint with the cosignature. */
  readonly cosigned: string;
  /** True when nothing had been seen of the log before: it was taken as it is. */
  readonly isFirst: boolean;
}

/**
 * Fetches the newest checkpoint, checks that the log has only grown since the last one, keeps it,
 * and only then cosigns: a witness that loses its power never vouches for two histories.
 * @throws Failure `E_WITNESS_SIGNATURE`, `E_WITNESS_ROLLED_BACK`, `E_WITNESS_SPLIT_VIEW`,
 *   `E_WITNESS_NO_PROOF`: the alarms. What proves it is kept beside the key.
 */
export async function witnessRound(
  { folder, log, nowMs }: { folder: WitnessFolder; log: CheckpointVerifier; nowMs: number },
  source: LogSource,
): Promise<Round> {
  const note = await source.checkpoint();
  const now = verified(note, log, 'The checkpoint');
  const last = folder.last();
  if (last !== undefined) await requireGrowth({ folder, log, last }, { note, now }, source);
  const timeS = Math.floor(nowMs / 1_000);
  const own = onlyLogSignature(note, log);
  const line = cosign(sha256, { note: own, timeS }, folder.signer);
  const { text, signatures } = parsed(own);
  const cosigned = formatNote({ text, signatures: [...signatures, line] });
  folder.keep(cosigned);
  return { size: now.size, cosigned, isFirst: last === undefined };
}

async function requireGrowth(
  { folder, log, last }: { folder: WitnessFolder; log: CheckpointVerifier; last: string },
  { note, now }: { note: string; now: Checkpoint },
  source: LogSource,
): Promise<void> {
  const before = verified(last, log, 'What this witness has kept');
  const own = verifyCosignature(sha256, last, { ...folder.signer, verify: verifyEd25519 });
  if (own instanceof Problem) throw signatureAlarm('What this witness has kept', own.problem);
  const alarm = await judgeGrowth(before, now, source.tile);
  if (alarm === undefined) return;
  const { name, what } = alarm;
  const evidence = folder.keepEvidence(`alarm-${before.size}-${now.size}.txt`, `${last}\n${note}`);
  throw new Failure(`E_WITNESS_${name.toUpperCase().replace('-', '_')}`, {
    what: `ALARM: ${what}`,
    why: `Both checkpoints are signed by the key of the log. They are in ${evidence}.`,
    fix:
      'Keep that file and the data folder of the server. If a backup was restored on purpose, ' +
      'see docs/guides/witness.md on how to begin again.',
  });
}

function verified(note: string, log: CheckpointVerifier, what: string): Checkpoint {
  const checkpoint = verifyCheckpoint(sha256, note, log);
  if (checkpoint instanceof Problem) throw signatureAlarm(what, checkpoint.problem);
  return checkpoint;
}

function signatureAlarm(what: string, problem: string): Failure {
  return new Failure('E_WITNESS_SIGNATURE', {
    what: `ALARM: ${what} is not valid: ${problem}.`,
    why: 'Whoever has the key of the log has not signed it.',
    fix: 'Check --log-key against your own records; if it is right, this is not your log.',
  });
}

/** Whatever else stands on the note, the witness signs its text, and hands on what it verified. */
function onlyLogSignature(note: string, log: CheckpointVerifier): string {
  const { text, signatures } = parsed(note);
  return formatNote({ text, signatures: signatures.filter(({ name }) => name === log.name) });
}

function parsed(note: string): SignedNote {
  const read = parseNote(note);
  if (read instanceof Problem) throw new Error(read.problem);
  return read;
}
