/** Registry and log each know how far the other has come: an older copy of one shows. @module */
import { Problem, parseCheckpoint } from '@holdfast/protocol/merkle';

/** What an older copy of a file is called. */
export type RollbackName =
  /** `log.db` is an older copy, or its end was removed. */
  | 'log-rolled-back'
  /** Entries that the registry had seen in the log are others now. */
  | 'log-rewritten'
  /** `registry.db` is an older copy. */
  | 'registry-rolled-back'
  /** Single records of `registry.db` are older copies, were added or removed. */
  | 'registry-changed';

/** A file that is not the newest one that there was. */
export interface RollbackFinding {
  readonly name: RollbackName;
  /** In plain words, a whole sentence. */
  readonly what: string;
}

/** What registry and log say. */
export interface RollbackFacts {
  /** What the registry says of itself, and of the log. */
  readonly registry: {
    readonly generation: number;
    readonly checkpoint: string;
    readonly isIntact: boolean;
  };
  readonly log: {
    readonly size: number;
    /** Root of its first entries. Throws when a tile is missing. */
    readonly rootAt: (size: number) => Uint8Array;
    /** Generation of the registry that the newest act or event names; undefined for none. */
    readonly generation: number | undefined;
  };
}

/**
 * Holds the two against each other. Each one names of the other only what was durable before, so
 * that no crash and no loss of power looks like a rollback. Both together, with their keys, can be
 * set back unseen: that shows at a witness only.
 */
export function findRollback({ registry, log }: RollbackFacts): RollbackFinding[] {
  const findings: RollbackFinding[] = [];
  const known = registry.checkpoint === '' ? undefined : parseCheckpoint(registry.checkpoint);
  if (known instanceof Problem || !registry.isIntact) {
    const what =
      'registry.db is not as it was written: a record of it was added, removed, or replaced by ' +
      'an older copy.';
    findings.push({ name: 'registry-changed', what });
  }
  if (known !== undefined && !(known instanceof Problem)) {
    const finding = judgeLog(log, known);
    if (finding !== undefined) findings.push(finding);
  }
  if (log.generation !== undefined && registry.generation < log.generation) {
    const what =
      `registry.db is an older copy: it has seen ${registry.generation} changes, and the log ` +
      `knows of ${log.generation}. Revocations and other acts since then are not in it.`;
    findings.push({ name: 'registry-rolled-back', what });
  }
  return findings;
}

function judgeLog(
  log: RollbackFacts['log'],
  known: { readonly size: number; readonly root: Uint8Array },
): RollbackFinding | undefined {
  if (log.size < known.size) {
    const what =
      `log.db is an older copy, or its end was removed: it has ${log.size} entries, and the ` +
      `registry knows that there were ${known.size}.`;
    return { name: 'log-rolled-back', what };
  }
  if (isRootOf(log, known)) return undefined;
  const what = `log.db is not the log that the registry knows: its first ${known.size} entries differ.`;
  return { name: 'log-rewritten', what };
}

function isRootOf(
  log: RollbackFacts['log'],
  { size, root }: { readonly size: number; readonly root: Uint8Array },
): boolean {
  try {
    return Buffer.from(log.rootAt(size)).equals(root);
  } catch {
    // A tile that is gone cannot vouch for anything.
    return false;
  }
}
