/** A TPM's quote, and its signature. @see TPM 2.0 Library, Part 2, §10.12 and §11.3 @module */
import { verify } from 'node:crypto';
import type { AttestationKey } from './attestation-key.ts';
import { type ByteReader, Malformed, readWhole } from './byte-reader.ts';
import { PCRS_MAX, TPM_BYTES_MAX } from './limits.ts';
import { TPM_ALG, TPM_GENERATED, TPM_ST_ATTEST_QUOTE } from './tpm-codes.ts';

/** What a TPM says of its PCRs. */
export interface Quote {
  /** What the challenger gave. */
  readonly nonce: Uint8Array;
  /** PCRs of the bank SHA-256, in their order. */
  readonly pcrs: readonly number[];
  /** SHA-256 over their values, one after the other. */
  readonly pcrDigest: Uint8Array;
  /** Counts the boots of the machine. */
  readonly resetCount: number;
}

/** Reads a `TPMS_ATTEST`. @returns undefined when it is no quote of the bank SHA-256 alone. */
export function readQuote(bytes: Uint8Array): Quote | undefined {
  return readWhole(bytes, { order: 'big', bytesMax: TPM_BYTES_MAX }, (reader) => {
    if (reader.u32() !== TPM_GENERATED) throw new Malformed('not made by a TPM');
    if (reader.u16() !== TPM_ST_ATTEST_QUOTE) throw new Malformed('no quote');
    // The name of the signing key; its signature says as much.
    reader.sized();
    const nonce = reader.sized();
    reader.u64();
    const resetCount = reader.u32();
    // Restarts, whether the clock can be believed, the firmware of the TPM.
    reader.u32();
    reader.u8();
    reader.u64();
    const pcrs = readSelection(reader);
    return { nonce, resetCount, pcrs, pcrDigest: reader.sized() };
  });
}

function readSelection(reader: ByteReader): number[] {
  // With more banks the digest would run over values that nobody else knows.
  if (reader.u32() !== 1) throw new Malformed('not one bank');
  if (reader.u16() !== TPM_ALG.sha256) throw new Malformed('another bank');
  const mask = reader.bytes(reader.u8());
  if (mask.length * 8 > PCRS_MAX) throw new Malformed('too many PCRs');
  const pcrs: number[] = [];
  for (let pcr = 0; pcr < mask.length * 8; pcr += 1) {
    if (((mask[pcr >> 3] ?? 0) & (1 << (pcr & 7))) !== 0) pcrs.push(pcr);
  }
  return pcrs;
}

/** Whether a `TPMT_SIGNATURE` over a quote is by this key, in the key's own scheme. */
export function isSignedBy(
  quote: Uint8Array,
  { signature, key }: { readonly signature: Uint8Array; readonly key: AttestationKey },
): boolean {
  const raw = readWhole(signature, { order: 'big', bytesMax: TPM_BYTES_MAX }, (reader) =>
    readSignature(reader, key.scheme),
  );
  if (raw === undefined) return false;
  const { publicKey } = key;
  // Both are PKCS#1 v1.5 or ECDSA by the type of the key; the digest is SHA-256 in either.
  const options =
    key.scheme === 'ecdsa-p256-sha256'
      ? { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
      : { key: publicKey };
  return verify('sha256', quote, options, raw);
}

function readSignature(reader: ByteReader, scheme: AttestationKey['scheme']): Uint8Array {
  const isEcdsa = scheme === 'ecdsa-p256-sha256';
  if (reader.u16() !== (isEcdsa ? TPM_ALG.ecdsa : TPM_ALG.rsassa)) throw new Malformed('scheme');
  if (reader.u16() !== TPM_ALG.sha256) throw new Malformed('hash');
  if (!isEcdsa) return reader.sized();
  const both = Buffer.alloc(64);
  for (const end of [32, 64]) {
    const part = reader.sized();
    if (part.length > 32) throw new Malformed('a number is too long');
    both.set(part, end - part.length);
  }
  return both;
}
