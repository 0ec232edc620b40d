/** The numbers of SUIT. @see draft-ietf-suit-manifest, appendix "Full CDDL" @module */

/** Members of the envelope. */
export const ENVELOPE = { authentication: 2, manifest: 3 } as const;

/** Members of the manifest. */
export const MANIFEST = {
  version: 1,
  sequence: 2,
  common: 3,
  referenceUri: 4,
  validate: 7,
  load: 8,
  invoke: 9,
  fetch: 16,
  install: 20,
  text: 23,
} as const;

/** Members of the manifest that may be their digest, and stand in the envelope. */
export const SEVERABLE: readonly number[] = [MANIFEST.fetch, MANIFEST.install, MANIFEST.text];

export const COMMON = { components: 2, sharedSequence: 4 } as const;

/** Conditions, and directives whose argument is a reporting policy. */
export const POLICY_COMMANDS = {
  vendorIdentifier: 1,
  classIdentifier: 2,
  imageMatch: 3,
  componentSlot: 5,
  checkContent: 6,
  abort: 14,
  deviceIdentifier: 24,
  write: 18,
  fetch: 21,
  copy: 22,
  invoke: 23,
  swap: 31,
} as const;

/** Directives with an argument of their own. */
export const FLOW_COMMANDS = {
  setComponentIndex: 12,
  tryEach: 15,
  overrideParameters: 20,
  runSequence: 32,
} as const;

export const PARAMETER = {
  vendorIdentifier: 1,
  classIdentifier: 2,
  imageDigest: 3,
  componentSlot: 5,
  strictOrder: 12,
  softFailure: 13,
  imageSize: 14,
  content: 18,
  uri: 21,
  sourceComponent: 22,
  invokeArgs: 23,
  deviceIdentifier: 24,
  fetchArguments: 25,
} as const;

/** What a device reports of a command. */
export const REPORT = { failure: 2, all: 15 } as const;

/** Tags of the envelope, of a COSE signature of one signer, of the number of an enterprise. */
export const TAG = { envelope: 107, sign1: 18, pen: 112 } as const;

/** SHA-256 among the algorithms of COSE. RFC 9054 §3.1 */
export const SHA_256 = -16;
