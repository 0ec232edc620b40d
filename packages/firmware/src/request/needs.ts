/** Who must sign a document. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { type Key, type Metadata, Root, Targets } from '@tufjs/models';
import {
  type Repository,
  type RoleKeys,
  keysOfLine,
  keysOfRole,
  lineOfRole,
  scopeOf,
} from '../metadata/index.ts';
import type { Published } from './published.ts';

/** A group of people of whom enough must sign. */
export interface Need extends RoleKeys {
  /** The role that has the keys; `root before` for that of the version before. */
  readonly who: string;
}

/** A document of which the form was checked. */
export interface OpenedDocument {
  readonly repository: Repository;
  readonly role: string;
  readonly metadata: Metadata<Root | Targets>;
}

/** How the repositories would stand with all documents of a request published. */
export interface Standing {
  readonly image?: Root;
  readonly director?: Root;
  readonly targets?: Targets;
  readonly published: Published;
  readonly opened: readonly OpenedDocument[];
}

/** The standing after a request. */
export function standingAfter(published: Published, opened: readonly OpenedDocument[]): Standing {
  const find = (repository: Repository, role: string) =>
    opened.find((o) => o.repository === repository && o.role === role)?.metadata.signed;
  const root = (repository: Repository): Root | undefined => {
    const found = find(repository, 'root');
    return found instanceof Root ? found : published[repository]?.signed;
  };
  const found = find('image', 'targets');
  const targets = found instanceof Targets ? found : published.targets?.signed;
  const image = root('image');
  const director = root('director');
  return {
    ...(image && { image }),
    ...(director && { director }),
    ...(targets && { targets }),
    published,
    opened,
  };
}

/** The groups that must sign a document: of a root, who signed the one before as well. TUF §5.3.4 */
export function needsOf(document: OpenedDocument, standing: Standing): Need[] | Refusal {
  const { repository, role, metadata } = document;
  if (metadata.signed instanceof Root) {
    const own = { who: 'root', ...keysOfRole(metadata.signed, 'root') };
    const before = standing.published[repository]?.signed;
    if (before === undefined) return [own];
    return [own, { who: 'root before', ...keysOfRole(before, 'root') }];
  }
  const line = lineOfRole(role);
  if (line === undefined) {
    if (standing.image === undefined) return refuse('E_UPDATE_REQUEST', 'There is no root yet.');
    return [{ who: 'targets', ...keysOfRole(standing.image, 'targets') }];
  }
  const keys = standing.targets && keysOfLine(standing.targets, line);
  if (keys !== undefined) return [{ who: role, ...keys }];
  return refuse('E_UPDATE_REQUEST', `There is no product line ${line}.`);
}

/** The name of the owner of a key, as the newest documents say; empty when they do not. */
export function nameOfKey(standing: Standing, key: Key): string {
  const { image, director, targets, published } = standing;
  for (const signed of [image, director, targets, ...namingDocuments(published)]) {
    const name = signed && scopeOf(signed).names?.[key.keyID];
    if (name !== undefined) return name;
  }
  return '';
}

/** The published documents that have names. */
export function namingDocuments({ image, director, targets }: Published): (Root | Targets)[] {
  return [image, director, targets].flatMap((metadata) => metadata?.signed ?? []);
}
