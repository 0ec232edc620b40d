/** The files of a release: what is stored for it. @module */
import type { Release } from '@holdfast/firmware';

/** What a file is to its release. */
export const RELEASE_FILE_KINDS = ['image', 'delta', 'sbom', 'suit'] as const;
export type ReleaseFileKind = (typeof RELEASE_FILE_KINDS)[number];

/** A file of a release. */
export interface ReleaseFile {
  /** In hexadecimal. */
  readonly sha256: string;
  readonly kind: ReleaseFileKind;
}

/** A release that is published, waits for signatures or was taken back, with its files. */
export interface ReleaseFiles {
  /** `<line>@<version>`. */
  readonly id: string;
  readonly files: readonly ReleaseFile[];
}

/** All files of a release with their lengths, its image first. */
export function filesOf({
  sha256,
  length,
  custom: { deltas = [], sbom, suit },
}: Pick<Release, 'sha256' | 'length' | 'custom'>): (ReleaseFile & { readonly length: number })[] {
  return [
    { sha256, length, kind: 'image' },
    ...deltas.map((delta) => ({ ...pick(delta), kind: 'delta' as const })),
    ...(sbom ? [{ ...pick(sbom), kind: 'sbom' as const }] : []),
    ...(suit ? [{ ...pick(suit), kind: 'suit' as const }] : []),
  ];
}

function pick({ sha256, length }: { readonly sha256: string; readonly length: number }) {
  return { sha256, length };
}
