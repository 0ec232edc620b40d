/** Which files a device may fetch: those of the release that it is to run, and no others. @module */
import type { Release } from '@holdfast/firmware';

/** A file of a release. */
export interface ReleaseFile {
  readonly sha256: string;
  /** Bytes. */
  readonly length: number;
}

/** The image, a delta or the SUIT envelope with this hash; undefined when the release has none. */
export function fileOf(release: Release | undefined, sha256: string): ReleaseFile | undefined {
  if (release === undefined) return undefined;
  if (release.sha256 === sha256) return release;
  if (release.custom.suit?.sha256 === sha256) return release.custom.suit;
  return release.custom.deltas?.find((delta) => delta.sha256 === sha256);
}

/**
 * A detached signature over the image with this hash: ECDSA unless another algorithm is asked for.
 */
export function signatureOf(
  release: Release | undefined,
  { sha256, algorithm = 'ecdsa-p256-sha256' }: { sha256: string; algorithm?: string | undefined },
): Uint8Array<ArrayBuffer> | undefined {
  if (release?.sha256 !== sha256) return undefined;
  const found = release.custom.detached?.find((each) => each.algorithm === algorithm);
  return found && new Uint8Array(Buffer.from(found.signature, 'base64'));
}
