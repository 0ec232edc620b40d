/** Signatures on metadata: who made them, and whether they are enough. @module */
import { type Key, type Metadata, Signature } from '@tufjs/models';
import type { Root, Targets } from '@tufjs/models';
import type { Signed } from './bytes.ts';
import type { RoleKeys } from './documents.ts';
import { lineOfRole, lineRole } from './roles.ts';

/** Adds a signature, in place of an older one of the same key. @param signature - of `canonicalBytes`. */
export function attachSignature(
  metadata: Metadata<Signed>,
  { keyId, signature }: { readonly keyId: string; readonly signature: Uint8Array },
): void {
  const sig = Buffer.from(signature).toString('hex');
  metadata.signatures[keyId] = new Signature({ keyID: keyId, sig });
}

/** The ids of those of the keys that have validly signed. */
export function verifiedSigners(metadata: Metadata<Signed>, keys: readonly Key[]): Set<string> {
  const signers = keys.filter((key) => {
    try {
      key.verifySignature(metadata);
      return true;
    } catch {
      return false;
    }
  });
  return new Set(signers.map((key) => key.keyID));
}

/** Whether enough of the keys of a role have validly signed. */
export function isSignedBy(metadata: Metadata<Signed>, { keys, threshold }: RoleKeys): boolean {
  return verifiedSigners(metadata, keys).size >= threshold;
}

/** Who signs a top-level role, by the root. */
export function keysOfRole(
  root: Root,
  role: 'root' | 'targets' | 'snapshot' | 'timestamp',
): RoleKeys {
  const { keyIDs = [], threshold = Infinity } = root.roles[role] ?? {};
  return { keys: keyIDs.flatMap((id) => root.keys[id] ?? []), threshold };
}

/** Who signs the releases of a product line, by the targets; undefined when there is no such line. */
export function keysOfLine(targets: Targets, line: string): RoleKeys | undefined {
  const role = targets.delegations?.roles?.[lineRole(line)];
  if (role === undefined) return undefined;
  const keys = role.keyIDs.flatMap((id) => targets.delegations?.keys[id] ?? []);
  return { keys, threshold: role.threshold };
}

/** The product lines that the targets delegate, in the order of their names. */
export function linesOf(targets: Targets): string[] {
  const roles = Object.keys(targets.delegations?.roles ?? {});
  return roles.flatMap((role) => lineOfRole(role) ?? []).toSorted();
}
