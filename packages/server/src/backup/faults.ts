/** What goes wrong with a backup, as the operator is told. @module */
import { Fault } from '../kernel/index.ts';

/** A backup that is not as it was written. */
export function damagedFault(problem: string, cause?: unknown): Fault {
  return new Fault({
    code: 'E_BACKUP_DAMAGED',
    what: `The backup is not as it was written: ${problem}.`,
    fix: 'Take another backup, or another destination, and find out who could write to this one.',
    cause,
  });
}

/** There is no such backup. */
export function absentFault(what: string): Fault {
  return new Fault({
    code: 'E_BACKUP_NONE',
    what: `There is ${what}.`,
    fix: 'Name the destination as it was named for the backup; see holdfast backup list.',
  });
}

/** The destination belongs to another server. */
export function foreignFault(destination: string): Fault {
  return new Fault({
    code: 'E_BACKUP_FOREIGN',
    what: `${destination} has the backups of another server.`,
    fix: 'Give each server a folder, or a prefix, of its own.',
  });
}

/** Another copy of this server writes to the destination. */
export function divergedFault(destination: string): Fault {
  return new Fault({
    code: 'E_BACKUP_DIVERGED',
    what: `Another copy of this server has written to ${destination} since this one did.`,
    fix: 'Stop the copy that is not meant to run. Or name a new, empty destination for this one.',
  });
}

/** Somebody has put an earlier keys object back. */
export function oldKeysFault(destination: string): Fault {
  return new Fault({
    code: 'E_BACKUP_KEYS_OLD',
    what: `The object "keys" in ${destination} is older than a backup there: it was put back.`,
    fix: 'Find out who could write there. While its server runs, it brings the keys within an hour.',
  });
}

/** A backup that could not be made. */
export function failedFault(why: string, cause?: unknown): Fault {
  return new Fault({
    code: 'E_BACKUP_FAILED',
    what: `The backup was not finished: ${why}.`,
    fix: 'Make it again: it goes on where it was.',
    cause,
  });
}
