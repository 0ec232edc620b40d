/** What the form of a document cannot say: how its parts belong together. @module */
import { type Key, Root, Snapshot, Targets } from '@tufjs/models';
import { ReleaseCustomSchema, type Release, releaseId } from '../release.ts';
import type { Signed } from './bytes.ts';
import { publicKeyOf } from './keys.ts';
import { type Scope, ScopeSchema, lineOfRole } from './roles.ts';
import { FileName } from './schema.ts';

/** Which repository, and which line or device, a document of a checked form is for. */
export function scopeOf(signed: Signed): Scope {
  return ScopeSchema.parse(signed.unrecognizedFields['holdfast']);
}

/** The releases that a document of a checked form names. */
export function releasesOf(targets: Targets): Release[] {
  return Object.values(targets.targets).map(({ path, length, hashes, custom }) => {
    const checked = ReleaseCustomSchema.parse(custom);
    return {
      id: releaseId(checked),
      path,
      length,
      sha256: hashes['sha256'] ?? '',
      custom: checked,
    };
  });
}

/** The first thing that is wrong about a document of the right form. */
export function problemOf(signed: Signed): string | undefined {
  const scope = scopeOf(signed);
  const isOfLine = 'line' in scope && scope.line !== undefined;
  const isOfPeople = signed instanceof Root || (signed instanceof Targets && !isOfLine);
  if (scope.names !== undefined && !isOfPeople) return 'it has names, but no keys of people';
  if (signed instanceof Root) {
    if ('line' in scope || 'device' in scope) return 'a root is for a whole repository';
    return rootProblem(signed);
  }
  if (signed instanceof Targets) return targetsProblem(signed, scope);
  if ('line' in scope) return 'only targets are for a product line';
  if (scope.repository === 'director' && scope.device === undefined) return 'it names no device';
  if (signed instanceof Snapshot && signed.meta['targets.json'] === undefined) {
    return 'it does not name targets.json';
  }
  return undefined;
}

function rootProblem({ keys, roles }: Root): string | undefined {
  return keyProblem(keys, Object.values(roles));
}

function targetsProblem(targets: Targets, scope: Scope): string | undefined {
  const releases = releasesOf(targets);
  const problem = releases.map(releaseProblem).find((found) => found !== undefined);
  if (problem !== undefined) return problem;
  if (new Set(releases.map(({ id }) => id)).size < releases.length) {
    return 'it names a version of a product line twice';
  }
  if (scope.repository === 'director') {
    if (scope.device === undefined) return 'it names no device';
    if (targets.delegations !== undefined) return 'a director delegates nothing';
    return releases.length > 1 ? 'it names two releases for one device' : undefined;
  }
  if (scope.line === undefined) return delegationProblem(targets);
  if (targets.delegations !== undefined) return 'a product line delegates nothing';
  const stranger = releases.find(({ custom }) => custom.line !== scope.line);
  return stranger === undefined ? undefined : `${stranger.id} is of another product line`;
}

function delegationProblem({ targets, delegations }: Targets): string | undefined {
  if (Object.keys(targets).length > 0) return 'releases stand in the documents of their lines';
  // Else it would be read as the document of a line, and end all of them unseen.
  if (delegations === undefined) return 'it must say which product lines there are, if only none';
  const roles = Object.values(delegations.roles ?? {});
  for (const { name, paths } of roles) {
    const line = lineOfRole(name);
    if (line === undefined) return `${name} is no role of a product line`;
    if (paths?.[0] !== `${line}/*/*`) return `${name} must have the paths of its line alone`;
  }
  return keyProblem(delegations.keys, roles);
}

function keyProblem(
  keys: Readonly<Record<string, Key>>,
  roles: readonly { readonly keyIDs: readonly string[] }[],
): string | undefined {
  for (const [id, key] of Object.entries(keys)) {
    if (publicKeyOf(key) === undefined || key.keyID !== id) {
      return `the key ${id} is not in the one form that gives it this id`;
    }
  }
  const used = new Set(roles.flatMap(({ keyIDs }) => keyIDs));
  const missing = [...used].find((id) => keys[id] === undefined);
  if (missing !== undefined) return `the key ${missing} of a role is absent`;
  const spare = Object.keys(keys).find((id) => !used.has(id));
  return spare === undefined ? undefined : `the key ${spare} has no role`;
}

function releaseProblem({ id, path, custom }: Release): string | undefined {
  const [line, version, name, ...more] = path.split('/');
  const isRight =
    line === custom.line &&
    version === custom.version &&
    FileName.safeParse(name).success &&
    more.length === 0;
  return isRight ? undefined : `the path of ${id} must be line/version/file name`;
}
