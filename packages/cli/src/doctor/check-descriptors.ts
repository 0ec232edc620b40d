/** Checks how many files the process may have open: each connection is one. @module */
import type { Installation } from '@holdfast/server';
import { type Finding, good, unknown, warn } from './finding.ts';

const CHECK = 'open files';

/** Whose limit it is. */
export interface DescriptorFacts {
  /** Text of `/proc/<pid>/limits`; undefined where the system has none. */
  readonly limits: string | undefined;
  /** False when it is that of this shell, from which a server would be started. */
  readonly isOfServer: boolean;
}

/** Holds the limit against the connections that a server takes. */
export function checkDescriptors(
  { limits, isOfServer }: DescriptorFacts,
  { connectionsMax, connectionsUnder }: Pick<Installation, 'connectionsMax' | 'connectionsUnder'>,
): Finding {
  if (limits === undefined) {
    return unknown(CHECK, 'How many files the server may open cannot be seen.', {
      why: 'Only Linux tells, and of processes of other users only root.',
      fix: 'Look where the server is started: ulimit -n.',
    });
  }
  const room = connectionsUnder(limits);
  const whose = isOfServer ? 'The server' : 'A server started from this shell';
  const count = new Intl.NumberFormat('en').format(room);
  if (room >= connectionsMax / 2) return good(CHECK, `enough for ${count} connections`);
  return warn(CHECK, `${whose} has room for ${count} connections only.`, {
    why: `It could serve ${new Intl.NumberFormat('en').format(connectionsMax)}; the limit of open files is what bounds it.`,
    fix: 'Fine for a smaller fleet. Else raise it: LimitNOFILE=65536 in the unit, or ulimit -n 65536.',
  });
}
