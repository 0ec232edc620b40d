import { randomUUID } from 'node:crypto';
/** Checks the disk: what kind it is, that it has room, and that what is written is kept. @module */
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { byteText } from '../byte-text.ts';
import { systemCode } from '../failure.ts';
import { type Finding, bad, good, unknown, warn } from './finding.ts';

const CHECK = 'disk';

/** Below so many times the reserve it is time to make room. */
const RESERVES_WANTED = 16;
/** A share of files left, below which it is time to make room. */
const FILES_LEFT_MIN = 0.02;
/** A group commit waits for one fsync: much longer, and every device waits. */
const FSYNC_MS_MAX = 250;

/** f_type of statfs(2), as linux/magic.h names them. */
const KINDS: Readonly<Record<number, { name: string; trouble?: 'memory' | 'network' | 'layer' }>> =
  {
    0xef53: { name: 'ext4' },
    0x58465342: { name: 'xfs' },
    0x9123683e: { name: 'btrfs' },
    0x2fc12fc1: { name: 'zfs' },
    0xf2f52010: { name: 'f2fs' },
    0x01021994: { name: 'tmpfs', trouble: 'memory' },
    0x858458f6: { name: 'ramfs', trouble: 'memory' },
    0x794c7630: { name: 'overlay', trouble: 'layer' },
    0x6969: { name: 'NFS', trouble: 'network' },
    0xff534d42: { name: 'CIFS', trouble: 'network' },
    0xfe534d42: { name: 'SMB', trouble: 'network' },
    0x65735546: { name: 'FUSE', trouble: 'network' },
    0x01021997: { name: '9p', trouble: 'network' },
  };

/** Looks at the disk of a folder that exists. */
export function checkDisk(
  path: string,
  {
    reserveBytes,
    measureMs = () => performance.now(),
  }: { reserveBytes: number; measureMs?: () => number },
): Finding[] {
  return [checkKind(path), checkRoom(path, reserveBytes), checkSync(path, measureMs)];
}

function checkKind(path: string): Finding {
  const { type } = statfsSync(path);
  const kind = KINDS[type];
  if (kind === undefined) {
    return unknown(CHECK, `The kind of file system (0x${type.toString(16)}) is not known.`, {
      why: 'The databases need one that locks files and keeps what was synced.',
      fix: 'Any local file system of the system does: ext4, xfs, btrfs, zfs.',
    });
  }
  const { name, trouble } = kind;
  if (trouble === undefined) return good(CHECK, `${name}, on this machine`);
  if (trouble === 'memory') {
    return bad(CHECK, `The data folder is in memory (${name}).`, {
      why: 'Everything is gone when the machine stops: keys, log, devices.',
      fix: 'Move it to a disk, and start the server with --data FOLDER.',
    });
  }
  if (trouble === 'layer') {
    return bad(CHECK, `The data folder is in the layer of a container (${name}).`, {
      why: 'Everything is gone when the container is made again.',
      fix: 'Give the container a volume, and put the data folder there.',
    });
  }
  return warn(CHECK, `The data folder is on ${name}, which may be on another machine.`, {
    why: 'Not all of these lock files, or keep what was synced: a log can be torn there.',
    fix: 'Move it to a disk of this machine, and make backups to that place instead.',
  });
}

function checkRoom(path: string, reserveBytes: number): Finding {
  const { bavail, bsize, files, ffree } = statfsSync(path);
  const freeBytes = bavail * bsize;
  const free = byteText(freeBytes);
  const fix = 'Make room, give messages a shorter retention, or move the folder to a larger disk.';
  if (freeBytes < reserveBytes) {
    const why = `Below ${byteText(reserveBytes)} the server takes no messages.`;
    return bad(CHECK, `Only ${free} are free.`, { why, fix });
  }
  if (freeBytes < RESERVES_WANTED * reserveBytes) {
    const why = `The server takes no messages below ${byteText(reserveBytes)}.`;
    return warn(CHECK, `Only ${free} are free.`, { why, fix });
  }
  // Some file systems have no fixed number of files, and say 0.
  if (files > 0 && ffree / files < FILES_LEFT_MIN) {
    return warn(CHECK, `Only ${ffree} more files can be made.`, {
      why: 'A disk with free space but no free inodes takes no new file.',
      fix: 'Find out what has made so many small files, and remove them.',
    });
  }
  return good(CHECK, `${free} free`);
}

/** Writes a block, waits until the disk has it, and removes it again. */
function checkSync(path: string, measureMs: () => number): Finding {
  const file = join(path, `.doctor-${randomUUID()}`);
  const startedMs = measureMs();
  try {
    const handle = openSync(file, 'wx', 0o600);
    try {
      writeSync(handle, new Uint8Array(4_096));
      fsyncSync(handle);
    } finally {
      closeSync(handle);
      rmSync(file, { force: true });
    }
  } catch (error) {
    return notWritten(path, systemCode(error) ?? 'unknown');
  }
  const tookMs = measureMs() - startedMs;
  if (tookMs <= FSYNC_MS_MAX)
    return good(CHECK, `keeps what is written within ${tookMs.toFixed(1)} ms`);
  return warn(CHECK, `It took ${Math.round(tookMs)} ms until the disk had kept 4 KiB.`, {
    why: 'Nothing is acknowledged before it is kept: every message waits so long.',
    fix: 'See what else writes to this disk; a disk with a write cache that survives a power cut helps.',
  });
}

function notWritten(path: string, code: string): Finding {
  if (code === 'EACCES' || code === 'EPERM') {
    return unknown(CHECK, `You may not write to ${path} (${code}).`, {
      why: 'So it was not tried whether the disk keeps what is written.',
      fix: 'Run this as the user of the server, or as root.',
    });
  }
  return bad(CHECK, `The disk does not take what is written (${code}).`, {
    why:
      code === 'EROFS'
        ? 'It is mounted for reading only.'
        : 'It is full, failing, or over a quota.',
    fix: 'See the log of the kernel (dmesg), and mend or replace the disk.',
  });
}
