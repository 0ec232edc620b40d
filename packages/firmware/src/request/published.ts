/** What is published now of that which people sign: who may sign the next versions. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { FirmwareDocument } from '@holdfast/protocol/api';
import type { Metadata, Root, Targets } from '@tufjs/models';
import { fromBytes, isSignedBy, keysOfLine, keysOfRole, lineOfRole } from '../metadata/index.ts';
import { scopeOf } from '../metadata/index.ts';
import type { Repository } from '../metadata/index.ts';

/** The newest signed documents; what is absent was never published. */
export interface Published {
  readonly image?: Metadata<Root>;
  readonly director?: Metadata<Root>;
  readonly targets?: Metadata<Targets>;
  /** By the name of the product line. */
  readonly lines: ReadonlyMap<string, Metadata<Targets>>;
}

/** Before the first ceremony. */
export const NOTHING_PUBLISHED: Published = { lines: new Map() };

/**
 * Opens published documents. Each must be signed by those whom the document above it names, and a
 * root by its own keys. Whether it has expired does not matter for what comes after it.
 * @returns them, or `E_UPDATE_METADATA`
 */
export function openPublished(documents: readonly FirmwareDocument[]): Published | Refusal {
  const find = (repository: Repository, role: string): Buffer | undefined => {
    const found = documents.find((d) => d.repository === repository && d.role === role);
    return found === undefined ? undefined : Buffer.from(found.metadata, 'base64');
  };
  const image = openRoot('image', find('image', 'root'));
  if (image instanceof Refusal) return image;
  const director = openRoot('director', find('director', 'root'));
  if (director instanceof Refusal) return director;
  const targets = openTargets(image, find('image', 'targets'));
  if (targets instanceof Refusal) return targets;
  const lines = new Map<string, Metadata<Targets>>();
  for (const { role } of documents) {
    const line = lineOfRole(role);
    if (line === undefined) continue;
    const opened = openLine(targets, { line, bytes: find('image', role) });
    if (opened instanceof Refusal) return opened;
    lines.set(line, opened);
  }
  return {
    ...(image && { image }),
    ...(director && { director }),
    ...(targets && { targets }),
    lines,
  };
}

function openRoot(
  repository: Repository,
  bytes: Uint8Array | undefined,
): Metadata<Root> | Refusal | undefined {
  if (bytes === undefined) return undefined;
  const root = fromBytes('root', bytes);
  if (root instanceof Refusal) return root;
  if (scopeOf(root.signed).repository !== repository)
    return wrong('a root of the other repository');
  return isSignedBy(root, keysOfRole(root.signed, 'root')) ? root : wrong('a root without signers');
}

function openTargets(
  image: Metadata<Root> | undefined,
  bytes: Uint8Array | undefined,
): Metadata<Targets> | Refusal | undefined {
  if (bytes === undefined) return undefined;
  const targets = fromBytes('targets', bytes);
  if (targets instanceof Refusal) return targets;
  const scope = scopeOf(targets.signed);
  if (scope.repository !== 'image' || scope.line !== undefined) return wrong('other targets');
  const isSigned = image && isSignedBy(targets, keysOfRole(image.signed, 'targets'));
  return isSigned === true ? targets : wrong('targets that the root does not vouch for');
}

function openLine(
  targets: Metadata<Targets> | undefined,
  { line, bytes }: { line: string; bytes: Uint8Array | undefined },
): Metadata<Targets> | Refusal {
  if (bytes === undefined) return wrong('a product line at the director');
  const opened = fromBytes('targets', bytes);
  if (opened instanceof Refusal) return opened;
  const scope = scopeOf(opened.signed);
  if (scope.repository !== 'image' || scope.line !== line) return wrong('another product line');
  const keys = targets && keysOfLine(targets.signed, line);
  return keys !== undefined && isSignedBy(opened, keys)
    ? opened
    : wrong(`releases of ${line} that the targets do not vouch for`);
}

function wrong(what: string): Refusal {
  return refuse('E_UPDATE_METADATA', `What is said to be published holds ${what}.`);
}
