/** The layout of MCUboot images, little-endian. @see MCUboot docs/design.md, "Image format" @module */

export const IMAGE_MAGIC = 0x96f3b83d;
/** Bytes of a header that say something; `headerBytes` may be more. */
export const HEADER_BYTES = 32;

/** What begins a list of entries: protected ones are signed along with the image. */
export const LIST_MAGIC = { plain: 0x6907, protected: 0x6908 } as const;
export const LIST_HEAD_BYTES = 4;
export const ENTRY_HEAD_BYTES = 4;

/** Types of entries that are made or read here. */
export const ENTRY = {
  keyHash: 0x01,
  sha256: 0x10,
  ecdsa: 0x22,
  ed25519: 0x24,
  pure: 0x25,
  securityCounter: 0x50,
} as const;

/** Ends a slot whose image is to be tried at the next start. */
export const TRAILER_MAGIC = Buffer.from('77c295f360d2ef7f3552500f2cb67980', 'hex');

/** The version of an image as its header has it. */
export interface McubootVersion {
  /** 0 to 255. */
  readonly major: number;
  /** 0 to 255. */
  readonly minor: number;
  /** 0 to 65,535. */
  readonly revision: number;
  /** 0 to 2^32 - 1. */
  readonly build: number;
}

/**
 * Reads the version of a release as MCUboot counts: `2.1.0+45`, of which all but the first may be
 * left out.
 * @returns undefined when it is none
 */
export function readMcubootVersion(text: string): McubootVersion | undefined {
  const number = String.raw`(0|[1-9]\d{0,9})`;
  const pattern = new RegExp(`^${number}(?:\\.${number}(?:\\.${number}(?:\\+${number})?)?)?$`, 'u');
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, major = 0, minor = 0, revision = 0, build = 0] = match.map((part) => Number(part ?? 0));
  const fits = major < 2 ** 8 && minor < 2 ** 8 && revision < 2 ** 16 && build < 2 ** 32;
  return fits ? { major, minor, revision, build } : undefined;
}
