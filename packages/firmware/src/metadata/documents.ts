/** The documents of both repositories, unsigned. @module */
import { createHash } from 'node:crypto';
import { type Key, Root, Snapshot, Targets, Timestamp } from '@tufjs/models';
import { z } from 'zod';
import type { Release } from '../release.ts';
import { type Repository, type Scope, type SignerNames, lineRole } from './roles.ts';

/** Version of TUF's specification that the documents follow. */
const SPEC_VERSION = '1.0.31';

/** Who signs a role: `threshold` of these keys. */
export interface RoleKeys {
  readonly keys: readonly Key[];
  readonly threshold: number;
}

/** What every document says. */
export interface Dated {
  /** 1, or one more than the last. */
  readonly version: number;
  /** When it ends, in milliseconds since 1970; rounded down to a second. */
  readonly expiresMs: number;
}

/** What a root says: who signs which role. */
export interface RootContent extends Dated {
  readonly repository: Repository;
  readonly root: RoleKeys;
  readonly targets: RoleKeys;
  readonly snapshot: RoleKeys;
  readonly timestamp: RoleKeys;
  /** Who has the keys of people. */
  readonly names?: SignerNames;
}

/** Makes a root. */
export function newRoot(content: RootContent): Root {
  const { repository, root, targets, snapshot, timestamp, names } = content;
  const roles = { root, targets, snapshot, timestamp };
  return Root.fromJSON({
    ...common(content, { repository, names }),
    _type: 'root',
    consistent_snapshot: true,
    keys: keysOf(Object.values(roles)),
    roles: Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, roleOf(role)])),
  });
}

/** The release keys of one product line. */
export interface LineKeys extends RoleKeys {
  readonly line: string;
}

/** What the targets of the image repository say: who signs for which product line. */
export interface TargetsContent extends Dated {
  readonly lines: readonly LineKeys[];
  /** Who has the keys of people. */
  readonly names?: SignerNames;
}

/** Makes the targets of the image repository. */
export function newTargets(content: TargetsContent): Targets {
  const roles = content.lines.map(({ line, ...role }) => ({
    ...roleOf(role),
    name: lineRole(line),
    paths: [`${line}/*/*`],
    terminating: true,
  }));
  return Targets.fromJSON({
    ...common(content, { repository: 'image', names: content.names }),
    _type: 'targets',
    targets: {},
    delegations: { keys: keysOf(content.lines), roles },
  });
}

/** Makes the document of a product line: all its releases. */
export function newLine(
  content: Dated & { readonly line: string; readonly releases: readonly Release[] },
): Targets {
  const { line, releases } = content;
  return Targets.fromJSON({
    ...common(content, { repository: 'image', line }),
    _type: 'targets',
    targets: targetsOf(releases),
  });
}

/** Makes the targets of one device at the director: the release that it is to run, or none. */
export function newDirectorTargets(
  content: Dated & { readonly device: string; readonly release: Release | undefined },
): Targets {
  const { release, device } = content;
  return Targets.fromJSON({
    ...common(content, { repository: 'director', device }),
    _type: 'targets',
    targets: targetsOf(release === undefined ? [] : [release]),
  });
}

/** A metadata file that another one names. */
export interface NamedFile {
  /** Without the version: `targets.json`, `line-thermo.json`. */
  readonly name: string;
  readonly version: number;
  /** The file as it is published. */
  readonly bytes: Uint8Array;
}

/** Makes a snapshot: of the image repository, or of a device at the director. */
export function newSnapshot(
  content: Dated & { readonly scope: Scope; readonly files: readonly NamedFile[] },
): Snapshot {
  return Snapshot.fromJSON({
    ...common(content, content.scope),
    _type: 'snapshot',
    meta: Object.fromEntries(content.files.map((file) => [file.name, metaOf(file)])),
  });
}

/** Makes a timestamp. */
export function newTimestamp(
  content: Dated & { readonly scope: Scope; readonly snapshot: Omit<NamedFile, 'name'> },
): Timestamp {
  return Timestamp.fromJSON({
    ...common(content, content.scope),
    _type: 'timestamp',
    meta: { 'snapshot.json': metaOf(content.snapshot) },
  });
}

/** Writes a time as TUF does. @param ms - since 1970; rounded down to a second. */
function tufTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/u, 'Z');
}

function common({ version, expiresMs }: Dated, scope: Scope) {
  const expires = tufTime(expiresMs);
  return { spec_version: SPEC_VERSION, version, expires, holdfast: jsonOf(scope) };
}

function keysOf(roles: readonly RoleKeys[]) {
  const keys = roles.flatMap((role) => role.keys);
  return Object.fromEntries(keys.map((key) => [key.keyID, key.toJSON()]));
}

function roleOf({ keys, threshold }: RoleKeys) {
  return { keyids: keys.map((key) => key.keyID), threshold };
}

function targetsOf(releases: readonly Release[]) {
  return Object.fromEntries(
    releases.map(({ path, length, sha256, custom }) => [
      path,
      { length, hashes: { sha256 }, custom: jsonOf(custom) },
    ]),
  );
}

function metaOf({ version, bytes }: Omit<NamedFile, 'name'>) {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { version, length: bytes.length, hashes: { sha256 } };
}

/** Without the fields that are undefined: those have no form in JSON, and would not be signed. */
function jsonOf(value: object) {
  return z.json().parse(JSON.parse(JSON.stringify(value)));
}
