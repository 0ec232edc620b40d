/** Makes the SUIT manifest of a release. @see draft-ietf-suit-manifest §6 @module */
import { type Cbor, CborMap, encodeCbor } from './cbor.ts';
import { COMMON, FLOW_COMMANDS, MANIFEST, PARAMETER, POLICY_COMMANDS } from './codes.ts';
import { REPORT, SHA_256 } from './codes.ts';
import { classId, vendorId } from './uuid5.ts';

/** What a manifest says of a release. */
export interface SuitRelease {
  /** Domain of the maker of the devices: `example.com`. */
  readonly vendor: string;
  /** Hardware kinds that may install it, at least one: each is a class of the vendor. */
  readonly hardware: readonly string[];
  /** Where it goes, as the device calls it; by default the first one, `[h'00']`. */
  readonly component?: readonly Uint8Array[] | undefined;
  /** The security counter: a device refuses a lower one than that of its own manifest. */
  readonly sequence: number;
  readonly image: {
    /** Bytes. */
    readonly length: number;
    /** In hexadecimal. */
    readonly sha256: string;
  };
  /** Where it is fetched: an absolute URI, or one relative to where the envelope came from. */
  readonly uri: string;
}

/** The encoded manifest: fetch and check on install, check and invoke on boot. */
export function suitManifest(release: SuitRelease): Uint8Array {
  const { sequence, uri, component = [Uint8Array.of(0)] } = release;
  const isImage = [POLICY_COMMANDS.imageMatch, REPORT.all];
  const install = [
    FLOW_COMMANDS.overrideParameters,
    new CborMap([[PARAMETER.uri, uri]]),
    POLICY_COMMANDS.fetch,
    REPORT.failure,
    ...isImage,
  ];
  const common = new CborMap([
    [COMMON.components, [component]],
    [COMMON.sharedSequence, encodeCbor(sharedSequence(release))],
  ]);
  return encodeCbor(
    new CborMap([
      [MANIFEST.version, 1],
      [MANIFEST.sequence, sequence],
      [MANIFEST.common, encodeCbor(common)],
      [MANIFEST.validate, encodeCbor(isImage)],
      [MANIFEST.invoke, encodeCbor([POLICY_COMMANDS.invoke, REPORT.failure])],
      [MANIFEST.install, encodeCbor(install)],
    ]),
  );
}

/** A digest as SUIT has it. */
export function suitDigest(sha256: Uint8Array): Uint8Array {
  return encodeCbor([SHA_256, sha256]);
}

function sharedSequence({ vendor, hardware, image }: SuitRelease): Cbor[] {
  const maker = vendorId(vendor);
  const classes = hardware.map((name) => classId(maker, name));
  const isVendor = [POLICY_COMMANDS.vendorIdentifier, REPORT.all];
  const isClass = [POLICY_COMMANDS.classIdentifier, REPORT.all];
  const parameters: [Cbor, Cbor][] = [
    [PARAMETER.vendorIdentifier, maker],
    [PARAMETER.imageDigest, suitDigest(Buffer.from(image.sha256, 'hex'))],
    [PARAMETER.imageSize, image.length],
  ];
  const [only, second] = classes;
  if (only === undefined) throw new RangeError('a release is for some hardware');
  if (second === undefined) {
    parameters.push([PARAMETER.classIdentifier, only]);
    return [FLOW_COMMANDS.overrideParameters, new CborMap(parameters), ...isVendor, ...isClass];
  }
  // A device has one of the classes: each is tried, and the first that fits ends it.
  const tries = classes.map((id) => {
    const choice = new CborMap([[PARAMETER.classIdentifier, id]]);
    return encodeCbor([FLOW_COMMANDS.overrideParameters, choice, ...isClass]);
  });
  const overridden = [FLOW_COMMANDS.overrideParameters, new CborMap(parameters)];
  return [...overridden, ...isVendor, FLOW_COMMANDS.tryEach, tries];
}
