/** Who listens on this machine, as Linux tells it. @module */
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A port that something listens on. */
export interface OpenPort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** True when only this machine reaches it. */
  readonly isLocal: boolean;
  /** Whose it is; undefined when that is hidden from this user. */
  readonly process: { readonly pid: number; readonly name: string } | undefined;
}

/** State numbers of the kernel: a TCP listener, and a UDP socket that is not connected. */
const LISTENING = { tcp: '0A', udp: '07' } as const;
const LOOPBACK =
  /^(?:0100007F|00000000000000000000000001000000|0000000000000000FFFF00000100007F)$/u;

/** The open ports; undefined where the system has no such table. */
export function openPorts(proc = '/proc'): readonly OpenPort[] | undefined {
  const rows = (['tcp', 'udp'] as const).flatMap((protocol) =>
    [protocol, `${protocol}6`].flatMap((table) => rowsOf(join(proc, 'net', table), protocol)),
  );
  if (rows.length === 0 && readText(join(proc, 'net', 'tcp')) === undefined) return undefined;
  const owners = ownersOf(new Set(rows.map(({ inode }) => inode)), proc);
  return rows.map(({ protocol, port, isLocal, inode }) => {
    return { protocol, port, isLocal, process: owners.get(inode) };
  });
}

/** What the limits of a process are; undefined when they are hidden. */
export function limitsOf(pid: number | 'self', proc = '/proc'): string | undefined {
  return readText(join(proc, String(pid), 'limits'));
}

/**
 * Whether whatever comes to a TCP port of this machine comes to the process that holds a file open,
 * and to nobody else. False when that cannot be seen.
 */
export function isAcceptedBy(
  file: string,
  { open, port }: { open: readonly OpenPort[] | undefined; port: number },
  proc = '/proc',
): boolean {
  const rows = (open ?? []).filter((row) => row.protocol === 'tcp' && row.port === port);
  const isHolder = ({ process }: OpenPort): boolean =>
    process !== undefined && holdsOpen(process.pid, file, proc);
  return rows.length > 0 && rows.every(isHolder);
}

/** By the file itself: in a container it may have another path. */
function holdsOpen(pid: number, file: string, proc: string): boolean {
  try {
    const { dev, ino } = statSync(file);
    const folder = join(proc, String(pid), 'fd');
    return readdirSync(folder).some((name) => {
      const found = statSync(join(folder, name), { throwIfNoEntry: false });
      return found?.dev === dev && found.ino === ino;
    });
  } catch {
    // Of another user, ended, or without a file.
    return false;
  }
}

function rowsOf(path: string, protocol: OpenPort['protocol']) {
  const [, ...lines] = (readText(path) ?? '').trim().split('\n');
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/u);
    const [address = '', port = ''] = local.split(':');
    if (state !== LISTENING[protocol]) return [];
    return [{ protocol, port: Number.parseInt(port, 16), isLocal: LOOPBACK.test(address), inode }];
  });
}

/** Each process has its sockets among its descriptors: `socket:[12345]`. */
function ownersOf(inodes: ReadonlySet<string>, proc: string) {
  const owners = new Map<string, { pid: number; name: string }>();
  for (const entry of readdirSync(proc)) {
    if (!/^\d+$/u.test(entry)) continue;
    for (const inode of socketsOf(join(proc, entry, 'fd'))) {
      if (!inodes.has(inode)) continue;
      const name = (readText(join(proc, entry, 'comm')) ?? '').trim();
      owners.set(inode, { pid: Number(entry), name });
    }
  }
  return owners;
}

function socketsOf(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((name) => {
      try {
        return /^socket:\[(\d+)\]$/u.exec(readlinkSync(join(folder, name)))?.[1] ?? [];
      } catch {
        // Closed in the meantime.
        return [];
      }
    });
  } catch {
    // Of another user, or ended.
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
