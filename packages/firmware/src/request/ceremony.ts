/** What a ceremony is to sign: the documents of a first set-up, and of each later change of keys. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Key, Root, Targets } from '@tufjs/models';
import {
  type LineKeys,
  type Repository,
  type RoleKeys,
  type SignerNames,
  isSignedBy,
  keysOfLine,
  keysOfRole,
  lineRole,
  linesOf,
  newLine,
  newRoot,
  newTargets,
  releasesOf,
  scopeOf,
} from '../metadata/index.ts';
import { ROOT_DAYS, TARGETS_DAYS } from './limits.ts';
import type { Published } from './published.ts';
import type { Proposal } from './request.ts';

/** A public key, and whose it is. */
export interface NamedKey {
  readonly key: Key;
  readonly name: string;
}

/** Who is to sign something. */
export interface Signers {
  readonly keys: readonly NamedKey[];
  readonly threshold: number;
}

/** The keys that the server signs with. */
export interface OnlineRoles {
  readonly image: { readonly snapshot: Key; readonly timestamp: Key };
  readonly director: { readonly targets: Key; readonly snapshot: Key; readonly timestamp: Key };
}

/** When new documents end. */
export interface Lives {
  readonly nowMs: number;
  readonly rootDays?: number;
  readonly targetsDays?: number;
}

/** The state of all keys that a ceremony can change. */
interface Keyring {
  readonly people: Signers;
  readonly lines: ReadonlyMap<string, Signers>;
  readonly online: OnlineRoles;
}

/** The first documents: both roots, and the targets. */
export function firstDocuments(
  keyring: {
    readonly signers: Signers;
    readonly lines: ReadonlyMap<string, Signers>;
    readonly online: OnlineRoles;
  },
  lives: Lives,
): Proposal[] {
  const { signers: people, lines, online } = keyring;
  const next = { people, lines, online };
  return [
    rootProposal('image', { next, version: 1, lives }),
    rootProposal('director', { next, version: 1, lives }),
    targetsProposal(next, { version: 1, lives }),
  ];
}

/** A change of keys; what is absent stays. */
export interface KeyChange {
  /** All who sign roots and targets from now on. */
  readonly people?: Signers;
  /** All who sign the releases of these product lines from now on; undefined ends a line. */
  readonly lines?: ReadonlyMap<string, Signers | undefined>;
  readonly online?: OnlineRoles;
}

/**
 * The documents of a change: new roots where people or online keys change, new targets where people
 * or lines do, and the releases of each line that its new keys do not vouch for yet. Without any
 * change, all of them anew: that is how their lives are extended.
 * @returns the documents, or `E_UPDATE_REQUEST` before the first ones
 */
export function changedDocuments(
  published: Published,
  change: KeyChange,
  lives: Lives,
): Proposal[] | Refusal {
  const { image, director, targets } = published;
  if (image === undefined || director === undefined || targets === undefined) {
    return refuse('E_UPDATE_REQUEST', 'There are no keys yet: holdfast fw init comes first.');
  }
  const now = keyringOf(published);
  if (now === undefined) return refuse('E_UPDATE_REQUEST', 'A key of a role has no name.');
  const next = changed(now, change);
  const isRenewal = Object.keys(change).length === 0;
  const proposals: Proposal[] = [];
  if (isRenewal || change.people !== undefined || change.online !== undefined) {
    const version = (root: Root): number => root.version + 1;
    proposals.push(
      rootProposal('image', { next, version: version(image.signed), lives }),
      rootProposal('director', { next, version: version(director.signed), lives }),
    );
  }
  const names = new Set(change.lines?.keys());
  if (isRenewal || change.people !== undefined || change.lines !== undefined) {
    proposals.push(targetsProposal(next, { version: targets.signed.version + 1, lives }));
  }
  return [...proposals, ...resignedLines(published, { next, names, isRenewal, lives })];
}

/** The releases of a line anew: with others than before, or with a later end. */
export function lineProposal(
  published: Published,
  {
    line,
    releases,
  }: { readonly line: string; readonly releases: Parameters<typeof newLine>[0]['releases'] },
  lives: Lives,
): Proposal {
  const version = (published.lines.get(line)?.signed.version ?? 0) + 1;
  const signed = newLine({ line, version, expiresMs: targetsEnd(lives), releases });
  return { repository: 'image', role: lineRole(line), signed };
}

/** Who signs now, with their names. */
export function peopleOf(published: Published): Signers | undefined {
  return keyringOf(published)?.people;
}

/** Who signs the releases of a product line now, with their names. */
export function lineSignersOf(published: Published, line: string): Signers | undefined {
  return keyringOf(published)?.lines.get(line);
}

function resignedLines(
  published: Published,
  change: {
    readonly next: Keyring;
    readonly names: ReadonlySet<string>;
    readonly isRenewal: boolean;
    readonly lives: Lives;
  },
): Proposal[] {
  const { next, names, isRenewal, lives } = change;
  return [...published.lines].flatMap(([line, metadata]) => {
    const signers = next.lines.get(line);
    if (signers === undefined) return [];
    const isKept = isSignedBy(metadata, plain(signers)) || !names.has(line);
    if (isKept && !isRenewal) return [];
    return lineProposal(published, { line, releases: releasesOf(metadata.signed) }, lives);
  });
}

function rootProposal(
  repository: Repository,
  { next, version, lives }: { next: Keyring; version: number; lives: Lives },
): Proposal {
  const { people, online } = next;
  const one = (key: Key): RoleKeys => ({ keys: [key], threshold: 1 });
  const { snapshot, timestamp } = online[repository];
  const signed = newRoot({
    repository,
    version,
    expiresMs: lives.nowMs + (lives.rootDays ?? ROOT_DAYS) * DAY_MS,
    root: plain(people),
    targets: repository === 'image' ? plain(people) : one(online.director.targets),
    snapshot: one(snapshot),
    timestamp: one(timestamp),
    names: namesOf([people]),
  });
  return { repository, role: 'root', signed };
}

function targetsProposal(
  next: Keyring,
  { version, lives }: { readonly version: number; readonly lives: Lives },
): Proposal {
  const lines = [...next.lines].map(([line, signers]): LineKeys => {
    const { keys, threshold } = plain(signers);
    return { line, keys, threshold };
  });
  const names = namesOf([...next.lines.values()]);
  const signed: Targets = newTargets({ version, expiresMs: targetsEnd(lives), lines, names });
  return { repository: 'image', role: 'targets', signed };
}

function targetsEnd({ nowMs, targetsDays }: Lives): number {
  return nowMs + (targetsDays ?? TARGETS_DAYS.default) * DAY_MS;
}

function changed(now: Keyring, { people, lines, online }: KeyChange): Keyring {
  const next = new Map(now.lines);
  for (const [line, signers] of lines ?? []) {
    if (signers === undefined) next.delete(line);
    else next.set(line, signers);
  }
  return { people: people ?? now.people, lines: next, online: online ?? now.online };
}

function keyringOf({ image, director, targets }: Published): Keyring | undefined {
  if (image === undefined || director === undefined || targets === undefined) return undefined;
  const names = { ...scopeOf(targets.signed).names, ...scopeOf(image.signed).names };
  const named = ({ keys, threshold }: RoleKeys): Signers => ({
    keys: keys.map((key) => ({ key, name: names[key.keyID] ?? '' })),
    threshold,
  });
  const lines = new Map<string, Signers>();
  for (const line of linesOf(targets.signed)) {
    const keys = keysOfLine(targets.signed, line);
    if (keys !== undefined) lines.set(line, named(keys));
  }
  const online = onlineOf(image.signed, director.signed);
  return online && { people: named(keysOfRole(image.signed, 'root')), lines, online };
}

function onlineOf(image: Root, director: Root): OnlineRoles | undefined {
  const first = (root: Root, role: 'targets' | 'snapshot' | 'timestamp'): Key | undefined =>
    keysOfRole(root, role).keys[0];
  const [a, b] = [first(image, 'snapshot'), first(image, 'timestamp')];
  const [c, d, e] = [
    first(director, 'targets'),
    first(director, 'snapshot'),
    first(director, 'timestamp'),
  ];
  if (!a || !b || !c || !d || !e) return undefined;
  return {
    image: { snapshot: a, timestamp: b },
    director: { targets: c, snapshot: d, timestamp: e },
  };
}

function plain({ keys, threshold }: Signers): RoleKeys {
  return { keys: keys.map(({ key }) => key), threshold };
}

function namesOf(groups: readonly Signers[]): SignerNames {
  const all = groups.flatMap(({ keys }) => keys);
  return Object.fromEntries(all.map(({ key, name }) => [key.keyID, name]));
}

const DAY_MS = 86_400_000;
