/** The rules of the repositories that go beyond TUF's own. @module */
import { type Key, type Metadata, type Root, Targets } from '@tufjs/models';
import {
  type RoleKeys,
  isSignedBy,
  keysOfLine,
  keysOfRole,
  lineRole,
  linesOf,
  releasesOf,
  scopeOf,
} from '../metadata/index.ts';
import { type Standing, nameOfKey, namingDocuments } from './needs.ts';

/** The first rule that the repositories would break; undefined when they keep all. */
export function ruleProblem(standing: Standing): string | undefined {
  const { image, director, targets = new Targets({ ...EMPTY }) } = standing;
  if (image === undefined || director === undefined) {
    return 'The roots of both repositories are made together.';
  }
  return (
    sameSignersProblem(image, director) ??
    onlineProblem({ image, director, targets }) ??
    peopleProblem(standing, { image, targets }) ??
    renamedProblem(standing) ??
    unsignedProblem(standing, { image, targets }) ??
    releaseProblem(standing)
  );
}

/** People sign both roots and the targets, and nobody else does: one list to keep in mind. */
function sameSignersProblem(image: Root, director: Root): string | undefined {
  const root = groupText(keysOfRole(image, 'root'));
  const others = [keysOfRole(image, 'targets'), keysOfRole(director, 'root')];
  if (others.every((role) => groupText(role) === root)) return undefined;
  return 'The roots and the targets must have the same signers and the same threshold.';
}

/** A stolen server has its online keys, so none of them may be a key of people. */
function onlineProblem(documents: {
  readonly image: Root;
  readonly director: Root;
  readonly targets: Targets;
}): string | undefined {
  const { image, director, targets } = documents;
  const people = idsOf([
    keysOfRole(image, 'root'),
    ...linesOf(targets).flatMap((line) => keysOfLine(targets, line) ?? []),
  ]);
  const ofImage = idsOf([keysOfRole(image, 'snapshot'), keysOfRole(image, 'timestamp')]);
  const ofDirector = idsOf([
    keysOfRole(director, 'targets'),
    keysOfRole(director, 'snapshot'),
    keysOfRole(director, 'timestamp'),
  ]);
  if (!ofImage.isDisjointFrom(ofDirector)) {
    return 'The two repositories must not share an online key.';
  }
  if (people.isDisjointFrom(ofImage) && people.isDisjointFrom(ofDirector)) return undefined;
  return 'A key of the server must not be a key of people.';
}

/** A signer knows others by the names of their keys: no document may give a key another one. */
function renamedProblem({ published, opened }: Standing): string | undefined {
  const names = new Map(
    namingDocuments(published).flatMap((signed) => Object.entries(scopeOf(signed).names ?? {})),
  );
  for (const { metadata } of opened) {
    for (const [id, name] of Object.entries(scopeOf(metadata.signed).names ?? {})) {
      const before = names.get(id);
      if (before !== undefined && before !== name) return `The key of ${before} is named ${name}.`;
      names.set(id, name);
    }
  }
  return undefined;
}

/** One person must not reach a threshold alone, by two keys. */
function peopleProblem(
  standing: Standing,
  { image, targets }: { readonly image: Root; readonly targets: Targets },
): string | undefined {
  const groups = [
    { role: 'root', keys: keysOfRole(image, 'root').keys },
    ...linesOf(targets).map((line) => ({
      role: lineRole(line),
      keys: keysOfLine(targets, line)?.keys ?? [],
    })),
  ];
  for (const { role, keys } of groups) {
    const names = keys.map((key) => nameOfKey(standing, key));
    if (names.includes('')) return `A key of the role ${role} has no name.`;
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) return `${twice} has two keys of the role ${role}.`;
  }
  return undefined;
}

/** With new keys, what was published before must still be vouched for, or be signed again. */
function unsignedProblem(
  { published, opened }: Standing,
  { image, targets }: { readonly image: Root; readonly targets: Targets },
): string | undefined {
  const isOpened = (role: string): boolean => opened.some((o) => o.role === role);
  const isKept = (metadata: Metadata<Targets> | undefined, keys: RoleKeys | undefined): boolean =>
    metadata === undefined || keys === undefined || isSignedBy(metadata, keys);
  if (!isOpened('targets') && !isKept(published.targets, keysOfRole(image, 'targets'))) {
    return 'With these signers the targets must be signed again.';
  }
  for (const [line, metadata] of published.lines) {
    if (!isOpened(lineRole(line)) && !isKept(metadata, keysOfLine(targets, line))) {
      return `With these keys the releases of ${line} must be signed again.`;
    }
  }
  return undefined;
}

/** A release never changes: who reported on it, and who tested it, meant this artifact. */
function releaseProblem({ published, opened }: Standing): string | undefined {
  for (const { metadata } of opened) {
    if (!(metadata.signed instanceof Targets)) continue;
    const before = [...published.lines.values()].flatMap(({ signed }) => releasesOf(signed));
    for (const release of releasesOf(metadata.signed)) {
      const old = before.find(({ id }) => id === release.id);
      const isSame =
        old === undefined ||
        (old.sha256 === release.sha256 &&
          old.length === release.length &&
          old.path === release.path &&
          old.custom.counter === release.custom.counter);
      if (!isSame) return `${release.id} is published with another artifact, path or counter.`;
    }
  }
  return undefined;
}

function idsOf(roles: readonly RoleKeys[]): Set<string> {
  return new Set(roles.flatMap(({ keys }) => keys.map((key: Key) => key.keyID)));
}

function groupText({ keys, threshold }: RoleKeys): string {
  const ids = keys.map((key) => key.keyID).toSorted();
  return `${threshold} of ${ids.join(' ')}`;
}

const EMPTY = { specVersion: '1.0.31', version: 1, expires: '1970-01-01T00:00:00Z' };
