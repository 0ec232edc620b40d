/** Which folders a backup may go to: whoever may make backups names them over the API. @module */
import { lstat, readdir, realpath } from 'node:fs/promises';
import { dirname, normalize } from 'node:path';
import { type Refusal, refuse } from '@holdfast/protocol';
import { errorCode } from '../kernel/index.ts';
import { KEYS_OBJECT } from './keys-object.ts';
import { CHUNKS_PREFIX, MANIFEST_PREFIX } from './manifest.ts';

/** What a destination consists of. */
const OWN = [KEYS_OBJECT, folderOf(CHUNKS_PREFIX), folderOf(MANIFEST_PREFIX)];
/** What a file system puts there by itself. */
const LOST_AND_FOUND = 'lost+found';

/** Whether a path from the root names a folder in the one way in which it is remembered. */
export function isPlainPath(path: string): boolean {
  return normalize(path) === path && (path === '/' || !path.endsWith('/'));
}

/**
 * Why no backup may go to a folder. It has to be new, empty, or one of backups already, and no
 * symbolic link may lead there: else who may make backups could have the server write to where it
 * is not meant to.
 */
export async function folderRefusal(path: string): Promise<Refusal | undefined> {
  try {
    const there = await nearestThere(path);
    const isLink = (await realpath(there)) !== there;
    const isFree = there !== path || isLink || isOfBackups(await readdir(path));
    if (!isLink && isFree) return undefined;
  } catch (error) {
    // Only the operator of the machine is to learn what stands where.
    if (!isAboutPath(error)) throw error;
  }
  const detail = `folder:${path} has to be new, empty or a folder of backups, without symbolic links.`;
  return refuse('E_OPERATE_INPUT', detail);
}

function isOfBackups(names: readonly string[]): boolean {
  const others = names.filter((name) => name !== LOST_AND_FOUND && !OWN.includes(name));
  return others.length === 0 || OWN.every((name) => names.includes(name));
}

/** The path itself, or the nearest one above it that is there. */
async function nearestThere(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    try {
      await lstat(at);
      return at;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' || at === '/') throw error;
    }
  }
}

function isAboutPath(error: unknown): boolean {
  return PATH_ERRORS.has(errorCode(error) ?? '');
}

const PATH_ERRORS: ReadonlySet<string> = new Set([
  'EACCES',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'EPERM',
]);

function folderOf(prefix: string): string {
  return prefix.slice(0, -1);
}
