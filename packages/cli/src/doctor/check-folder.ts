/** Checks the data folder: whose it is, and who else can read or change what is in it. @module */
import { type Stats, lstatSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Installation } from '@holdfast/server';
import { systemCode } from '../failure.ts';
import { type Finding, bad, good, unknown, warn } from './finding.ts';

const CHECK = 'data folder';
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
const ROOT = 0;

/** Of files that tell nothing to who reads them. */
const PUBLIC_FILES = new Set(['log.pub', 'lock']);
/** What is said of the files that hold, or lead to, a secret. */
const SECRET_FILES: Readonly<Record<string, string>> = {
  'unseal.key': 'Whoever has it and the folder can read everything, and pretend to be this server.',
  'custody.json': 'It names who is asked for the keys: whoever changes it chooses that.',
  'cli.json': 'Whoever reads it can do on the running server what the command line can.',
};
/** Files with a wrong mode that are named one by one. */
const NAMED_MAX = 10;

/** Looks at the folder and every file in it. */
export function checkFolder({
  folder,
  firmware,
}: Pick<Installation, 'folder' | 'firmware'>): Finding[] {
  const stat = statSync(folder.path, { throwIfNoEntry: false });
  if (stat === undefined) return [missing(folder.path)];
  if (!stat.isDirectory()) {
    return [
      bad(CHECK, `${folder.path} is no folder.`, {
        why: 'The server keeps everything in one folder.',
        fix: 'Name the folder with --data.',
      }),
    ];
  }
  try {
    const files = [...filesIn(folder.path), ...filesIn(firmware)];
    const findings = [
      ...checkModeOf(folder.path, stat),
      ...checkParents(folder.path),
      ...checkFiles(files, stat.uid),
      ...checkKeys({ folder }),
    ];
    if (findings.length > 0) return findings;
    return [good(CHECK, `${folder.path}, its owner’s alone, with ${files.length} files`)];
  } catch (error) {
    return [unreadable(folder.path, error)];
  }
}

function missing(path: string): Finding {
  return warn(CHECK, `There is no data folder ${path}.`, {
    why: 'No server has been started on it yet, or it is somewhere else.',
    fix: 'Name it with --data FOLDER, or make it: holdfast up.',
  });
}

function unreadable(path: string, error: unknown): Finding {
  return unknown(CHECK, `${path} cannot be looked into (${systemCode(error) ?? 'unknown'}).`, {
    why: 'It belongs to another user, as it should where the server has one of its own.',
    fix: 'Run this as the user of the server, or as root.',
  });
}

function checkModeOf(path: string, { mode, uid }: Stats): Finding[] {
  const findings: Finding[] = [];
  if ((mode & OTHERS) !== 0) {
    findings.push(
      bad(CHECK, `${path} is open to other users of this machine (mode ${octal(mode)}).`, {
        why: 'They can see its files, and those that may write can replace them.',
        fix: `chmod 700 ${path}`,
      }),
    );
  }
  const me = process.getuid?.();
  if (me !== undefined && me !== ROOT && uid !== me) {
    findings.push(
      bad(CHECK, `${path} belongs to another user (${uid}).`, {
        why: 'A server that you start cannot use it, or its owner can change what it keeps.',
        fix: 'Start the server as that user, or name a folder of your own with --data.',
      }),
    );
  }
  return findings;
}

/** Who may rename a folder above puts another one in its place. */
function checkParents(path: string): Finding[] {
  const findings: Finding[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    const { mode, uid } = statSync(at);
    const isOpen = (mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0;
    const isForeign = uid !== ROOT && uid !== statSync(path).uid;
    if (isOpen || isForeign) {
      findings.push(
        warn(CHECK, `Other users can rename what is in ${at}.`, {
          why: 'They could put another folder in the place of the data folder.',
          fix: isOpen ? `chmod go-w ${at}` : 'Move the data folder below folders of its own user.',
        }),
      );
    }
    if (dirname(at) === at) return findings;
  }
}

interface FoundFile {
  readonly name: string;
  readonly path: string;
  readonly stat: Stats;
}

function filesIn(folder: string): FoundFile[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    // The server removes files while it runs.
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ name, path, stat }];
  });
}

function checkFiles(files: readonly FoundFile[], owner: number): Finding[] {
  const findings = files.flatMap((file) => checkFile(file, owner));
  const more = findings.length - NAMED_MAX;
  if (more <= 0) return findings;
  return [
    ...findings.slice(0, NAMED_MAX),
    bad(CHECK, `${more} more files are as wrong.`, {
      why: 'Somebody has changed the modes of the whole folder, or copied it.',
      fix: 'chmod -R go-rwx, on the data folder.',
    }),
  ];
}

function checkFile(
  { name, path, stat: { mode, uid, ...stat } }: FoundFile,
  owner: number,
): Finding[] {
  const why = SECRET_FILES[name] ?? 'Only the server has to read what it keeps.';
  if ((mode & 0o170_000) === 0o120_000) {
    return [
      bad(CHECK, `${path} is a link to somewhere else.`, {
        why: 'The server makes no links: somebody else has put it there.',
        fix: 'Find out who did, and put the file itself there.',
      }),
    ];
  }
  if (uid !== owner && uid !== ROOT) {
    return [
      bad(CHECK, `${path} belongs to another user (${uid}) than its folder (${owner}).`, {
        why: `Its owner can change it, whatever its mode. ${why}`,
        fix: `Find out why, then: chown ${owner} ${path}`,
      }),
    ];
  }
  const isPublic = PUBLIC_FILES.has(name);
  if ((mode & (isPublic ? OTHERS_WRITE : OTHERS)) === 0) return [];
  const can = (mode & OTHERS_WRITE) === 0 ? 'read' : 'changed';
  const wanted = stat.nlink > 0 && (mode & 0o170_000) === 0o040_000 ? '700' : '600';
  return [
    bad(CHECK, `${path} can be ${can} by other users of this machine (mode ${octal(mode)}).`, {
      why,
      fix: `Find out who could, then: chmod ${wanted} ${path}`,
    }),
  ];
}

function checkKeys({ folder }: Pick<Installation, 'folder'>): Finding[] {
  const has = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
  if (!has(folder.registry) || has(folder.unsealKey) || has(folder.custody)) return [];
  return [
    bad(CHECK, 'Neither unseal.key nor custody.json is in the data folder.', {
      why: 'Nothing opens what is kept in it: the server does not start.',
      fix: 'Put your copy of unseal.key there, or use your recovery shares: holdfast keys recover.',
    }),
  ];
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}
