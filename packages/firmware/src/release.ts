/** What is said of a firmware release: the custom fields of its TUF target. @module */
import { z } from 'zod';
import { MeasurementsSchema } from './measured-boot/expectation.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/u);
const Length = z.int().min(1);

/** Id of a product line, of a hardware kind: 1 to 32 of `a-z 0-9 -`, the first a letter or digit. */
export const LineId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/u);
export const HardwareId = LineId;

/** Version of a release: 1 to 32 of `0-9 a-z A-Z . + -`, the first a digit. */
const ReleaseVersion = z.string().regex(/^[0-9][0-9A-Za-z.+-]{0,31}$/u);

/** A lower security counter than that of the running image is refused by the device. */
export const SecurityCounter = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

/** A file that makes this release out of another one. */
export const DeltaSourceSchema = z.strictObject({
  /** SHA-256 of the image that it starts from. */
  from: Sha256,
  /** The file: a zstd frame with that image as its dictionary. */
  sha256: Sha256,
  length: Length,
});

/** A signature over the artifact alone, for devices that read no metadata. */
export const DetachedSignatureSchema = z.strictObject({
  /** `ecdsa-p256-sha256`: DER, base64; `ed25519`: 64 bytes, base64. */
  algorithm: z.enum(['ecdsa-p256-sha256', 'ed25519']),
  /** TUF key id of the release key. */
  keyId: Sha256,
  signature: z.base64().max(256),
});

/** The custom fields of a target in the image repository. */
export const ReleaseCustomSchema = z.strictObject({
  line: LineId,
  version: ReleaseVersion,
  hardware: z.array(HardwareId).min(1).max(64),
  counter: SecurityCounter,
  /** A device that runs an older version has to take another release first. */
  minimumVersion: ReleaseVersion.optional(),
  /** CycloneDX document of the release. */
  sbom: z.strictObject({ sha256: Sha256, length: Length }).optional(),
  severity: z.enum(['none', 'low', 'medium', 'high', 'critical']).optional(),
  /** Vulnerabilities that it repairs: CVE or OSV ids. */
  fixes: z
    .array(z.string().regex(/^[A-Za-z0-9-]{1,64}$/u))
    .max(256)
    .optional(),
  deltas: z.array(DeltaSourceSchema).max(16).optional(),
  detached: z.array(DetachedSignatureSchema).max(8).optional(),
  /** SUIT envelope of the release, for devices that process manifests. */
  suit: z.strictObject({ sha256: Sha256, length: Length }).optional(),
  /** What a good boot of it measures into the PCRs of a TPM. */
  measurements: MeasurementsSchema.optional(),
});
export type ReleaseCustom = Readonly<z.infer<typeof ReleaseCustomSchema>>;

/** A release as both repositories name it. */
export interface Release {
  /** `<line>@<version>`. */
  readonly id: string;
  /** Path of the target: `<line>/<version>/<file name>`. */
  readonly path: string;
  /** Bytes. */
  readonly length: number;
  /** SHA-256 of the artifact, in hexadecimal. */
  readonly sha256: string;
  readonly custom: ReleaseCustom;
}

/** The id of a release, as people and rollouts name it. */
export function releaseId({ line, version }: { line: string; version: string }): string {
  return `${line}@${version}`;
}
