/** Prints a history: its newest page, oldest first, and what follows. @module */
import type { ApiError, FollowOptions } from '@holdfast/client';
import { PAGE_LIMIT } from '@holdfast/protocol/api';
import { integerOption, JSON_OPTION, DATA_OPTION } from '../command.ts';
import { spanText } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import type { World } from '../world.ts';

const LIMIT_DEFAULT = '20';

/** The options of commands that print a history. */
export const HISTORY_OPTIONS = {
  limit: { type: 'string', value: 'N', help: `how many, at most (default ${LIMIT_DEFAULT})` },
  json: JSON_OPTION,
  data: DATA_OPTION,
} as const;

export const FOLLOW_OPTION = { type: 'boolean', help: 'go on with what is new' } as const;

/** What to print of a history, and how. */
export interface HistoryPrint<T> {
  readonly read: (page: { limit: number }) => Promise<readonly T[]>;
  /** Undefined when only the page is wanted. */
  readonly follow?: ((options: FollowOptions) => AsyncIterable<T>) | undefined;
  /** Lines for one entry. */
  readonly format: (entry: T) => string;
  /** Said when there is nothing. */
  readonly empty: string;
}

/** Prints a history. Following ends only with the process, or an error. */
export async function printHistory<T extends { readonly index: number }>(
  { stdout, stderr }: World,
  { limit, json }: { limit?: string | undefined; json?: boolean | undefined },
  { read, follow, format, empty }: HistoryPrint<T>,
): Promise<void> {
  const count = integerOption(limit ?? LIMIT_DEFAULT, { name: 'limit', ...PAGE_LIMIT });
  const page = await read({ limit: count });
  const print = (entry: T) => stdout.write(json === true ? jsonLine(entry) : format(entry));
  for (const entry of page.toReversed()) print(entry);
  if (page.length === 0 && json !== true) stderr.write(`${empty}\n`);
  if (follow === undefined) return;
  const { faint } = paintFor(stderr);
  const onLost = ({ message }: ApiError, waitMs: number) => {
    const pause = waitMs < 1_000 ? 'at once' : `in ${spanText(waitMs)}`;
    stderr.write(`${faint(`${printable(message)} Trying again ${pause}; nothing is lost.`)}\n`);
  };
  for await (const entry of follow({ after: page[0]?.index ?? -1, onLost })) print(entry);
}
