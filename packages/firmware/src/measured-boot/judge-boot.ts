/** Whether a device has proven how it booted. @module */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AttestationKey } from './attestation-key.ts';
import { type BootEvent, readEventLog, replay } from './event-log.ts';
import type { Measurements } from './expectation.ts';
import { isSignedBy, readQuote } from './quote.ts';

/** What a device sends. */
export interface BootEvidence {
  /** `TPMS_ATTEST`. */
  readonly quote: Uint8Array;
  /** `TPMT_SIGNATURE` over it. */
  readonly signature: Uint8Array;
  /** Crypto-agile event log. */
  readonly eventLog: Uint8Array;
}

/** What it is judged by. */
export interface BootJudgement {
  /** The key that was bound to the device. */
  readonly key: AttestationKey;
  /** What the server has just asked for, once. */
  readonly nonce: Uint8Array;
  /** Of the release that the device is to run. */
  readonly expected: Measurements;
}

/** Why a boot is not proven, for the operator. */
export interface NotProven {
  readonly reason: 'quote' | 'signature' | 'nonce' | 'log' | 'measurement';
  readonly detail: string;
}

/** A boot that is proven. */
export interface ProvenBoot {
  readonly reason: 'proven';
  readonly resetCount: number;
}

/**
 * Judges the evidence of a boot: the signature first, as nothing before it can be believed.
 */
export function judgeBoot(
  { quote: quoted, signature, eventLog }: BootEvidence,
  { key, nonce, expected }: BootJudgement,
): ProvenBoot | NotProven {
  if (!isSignedBy(quoted, { signature, key })) {
    return notProven('signature', 'the quote is not signed by the key that is bound to the device');
  }
  const quote = readQuote(quoted);
  if (quote === undefined) return notProven('quote', 'no quote of the bank SHA-256');
  if (nonce.length !== quote.nonce.length || !timingSafeEqual(nonce, quote.nonce)) {
    return notProven('nonce', 'the quote answers another challenge, or one that is over');
  }
  const missing = expected.find(({ pcr }) => !quote.pcrs.includes(pcr));
  if (missing !== undefined) return notProven('quote', `PCR ${missing.pcr} is not quoted`);
  const events = readEventLog(eventLog);
  if (events === undefined) return notProven('log', 'no event log with SHA-256 digests');
  if (!digestOf(events, quote.pcrs).equals(quote.pcrDigest)) {
    return notProven('log', 'the event log is not what was measured into the quoted PCRs');
  }
  for (const { pcr, events: wanted } of expected) {
    const seen = events.filter((event) => event.pcr === pcr);
    const at = wanted.findIndex((digest, index) => seen[index]?.digest !== digest);
    if (at !== -1) {
      const found = seen[at]?.digest ?? 'nothing';
      return notProven('measurement', `PCR ${pcr}, event ${at + 1}: ${found}, not ${wanted[at]}`);
    }
    if (seen.length > wanted.length) {
      const found = seen[wanted.length]?.digest;
      return notProven(
        'measurement',
        `PCR ${pcr}, event ${wanted.length + 1}: ${found}, not expected`,
      );
    }
  }
  return { reason: 'proven', resetCount: quote.resetCount };
}

/** A PCR into which nothing was measured holds zeros. */
function digestOf(events: readonly BootEvent[], pcrs: readonly number[]): Buffer {
  const values = replay(events);
  const hash = createHash('sha256');
  for (const pcr of pcrs) hash.update(values.get(pcr) ?? Buffer.alloc(32));
  return hash.digest();
}

function notProven(reason: NotProven['reason'], detail: string): NotProven {
  return { reason, detail };
}
