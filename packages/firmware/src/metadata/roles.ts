/** The names of roles and of their files, and which repository a document belongs to. @module */
import { z } from 'zod';
import { LineId } from '../release.ts';

/** The kinds of metadata of TUF. */
export const ROLE_KINDS = ['root', 'targets', 'snapshot', 'timestamp'] as const;
export type RoleKind = (typeof ROLE_KINDS)[number];

/** Name of a person who signs, as the other signers know it. */
export const SignerName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/u);

/** Whose keys a document names: names by key id. */
export const SignerNames = z.record(z.string().regex(/^[0-9a-f]{64}$/u), SignerName);
export type SignerNames = Readonly<Record<string, string>>;

/**
 * What a document is for; signed with it, as the field `holdfast`. The two repositories have the
 * same signers: without this, a root of one would pass as a root of the other, and its online keys
 * with it. A document of a product line or of a device says which one.
 */
export const ScopeSchema = z.union([
  z.strictObject({
    repository: z.literal('image'),
    line: LineId.optional(),
    names: SignerNames.optional(),
  }),
  z.strictObject({
    repository: z.literal('director'),
    device: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u)
      .optional(),
    names: SignerNames.optional(),
  }),
]);
export type Scope = Readonly<z.infer<typeof ScopeSchema>>;
/** Which of the two repositories. */
export type Repository = Scope['repository'];

/** Name of a role that is signed: a top-level one, or `line-<line>`. */
export const RoleName = z.union([
  z.enum(ROLE_KINDS),
  z.string().regex(/^line-[a-z0-9][a-z0-9-]{0,31}$/u),
]);
export type RoleName = z.infer<typeof RoleName>;

/** The role that signs the releases of a product line. */
export function lineRole(line: string): string {
  return `line-${line}`;
}

/** The product line of such a role; undefined for the other roles. */
export function lineOfRole(role: string): string | undefined {
  return role.startsWith('line-') ? role.slice('line-'.length) : undefined;
}

/** The kind of metadata that a role signs; undefined for no role. */
export function kindOfRole(role: string): RoleKind | undefined {
  if (RoleName.safeParse(role).success && lineOfRole(role) !== undefined) return 'targets';
  return ROLE_KINDS.find((kind) => kind === role);
}

/** Name of a metadata file in a repository with consistent snapshots. TUF §6.2 */
export function fileNameOf(role: string, version: number): string {
  return role === 'timestamp' ? 'timestamp.json' : `${version}.${role}.json`;
}
