/**
 * Names of boot loader entries that count: `name+LEFT-DONE.conf`.
 * @see https://uapi-group.org/specifications/specs/boot_loader_specification/#boot-counting
 * @module
 */

/** The name of an entry, read. */
export interface EntryName {
  readonly name: string;
  /** Starts that are left; undefined in an entry that counts no more. */
  readonly left: number | undefined;
  /** Starts so far. */
  readonly done: number;
}

/** Reads a file name; undefined when it is none of an entry. */
export function readEntryName(file: string): EntryName | undefined {
  const [, name, left, done] = ENTRY.exec(file) ?? [];
  if (name === undefined) return undefined;
  return { name, left: left === undefined ? undefined : Number(left), done: Number(done ?? 0) };
}

/** Writes a file name. */
export function formatEntryName({ name, left, done }: EntryName): string {
  if (left === undefined) return `${name}.conf`;
  return `${name}+${left}${done > 0 ? `-${done}` : ''}.conf`;
}

/** What a boot loader does to the name before it starts an entry that counts. */
export function countStart({ name, left, done }: EntryName): EntryName {
  if (left === undefined || left === 0) return { name, left, done };
  return { name, left: left - 1, done: done + 1 };
}

const ENTRY = /^([A-Za-z0-9._-]+?)(?:\+(\d{1,9})(?:-(\d{1,9}))?)?\.conf$/u;
