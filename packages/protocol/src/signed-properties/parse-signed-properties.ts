/** Reads the signature of a message of form 2, which stands in its user properties. @module */
import type { MessageProperties, UserProperty } from '../mqtt/packets.ts';
import { Refusal, refuse } from '../refusal.ts';
import type { SignedStamp } from './signed-header.ts';

/** What the user properties say of a message of form 2. Nothing is verified yet. */
export interface SignedProperties extends SignedStamp {
  /** The HMAC-SHA256 in "sig": 64 lower-case hexadecimal digits. */
  readonly signature: string;
}

/** Whether a message is of form 2: it has a user property "sig". All others are of form 1. */
export function isSignedByProperties({ userProperties }: MessageProperties): boolean {
  return userProperties?.some(([name]) => name === 'sig') ?? false;
}

/**
 * Reads the user properties that sign a message, each of which stands there once: "sig", "kid",
 * "ctr" (0 to 2^53 - 1) and, optional, "ts" (milliseconds since 1970). Both numbers are decimal
 * digits without a sign and without leading zeros, so that each has one text that can be signed.
 *
 * @returns what there is to verify, or a refusal: `E_VERIFY_DUPLICATE_KEY`, `E_VERIFY_SIG_MISSING`,
 * `E_VERIFY_SIG_FORM`, `E_VERIFY_KID`, `E_VERIFY_COUNTER_MISSING`, `E_VERIFY_COUNTER_FORM`,
 * `E_VERIFY_TIME_FORM`
 */
export function parseSignedProperties(properties: MessageProperties): SignedProperties | Refusal {
  const { userProperties = [] } = properties;
  const signature = single(userProperties, 'sig');
  if (signature instanceof Refusal) return signature;
  const kid = single(userProperties, 'kid');
  if (kid instanceof Refusal) return kid;
  const ctr = single(userProperties, 'ctr');
  if (ctr instanceof Refusal) return ctr;
  const ts = single(userProperties, 'ts');
  if (ts instanceof Refusal) return ts;

  if (signature === undefined) return refuse('E_VERIFY_SIG_MISSING', 'There is no "sig".');
  if (!SIGNATURE.test(signature)) {
    return refuse('E_VERIFY_SIG_FORM', 'The "sig" is not of 64 lower-case hexadecimal digits.');
  }
  if (kid === undefined) return refuse('E_VERIFY_KID', 'There is no "kid".');
  if (ctr === undefined) return refuse('E_VERIFY_COUNTER_MISSING', 'There is no "ctr".');
  const counter = decimal(ctr);
  if (counter === undefined) {
    return refuse('E_VERIFY_COUNTER_FORM', 'The "ctr" is no integer from 0 to 2^53 - 1.');
  }
  if (ts === undefined) return { signature, kid, counter, timeMs: undefined };
  const timeMs = decimal(ts);
  if (timeMs === undefined) {
    return refuse('E_VERIFY_TIME_FORM', 'The "ts" is no number of milliseconds since 1970.');
  }
  return { signature, kid, counter, timeMs };
}

/** The value of a property that may stand there once; undefined when it does not. */
function single(properties: readonly UserProperty[], wanted: string): string | undefined | Refusal {
  let found: string | undefined;
  for (const [name, value] of properties) {
    if (name !== wanted) continue;
    if (found !== undefined) {
      return refuse('E_VERIFY_DUPLICATE_KEY', `The property "${wanted}" stands there twice.`);
    }
    found = value;
  }
  return found;
}

function decimal(text: string): number | undefined {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

const SIGNATURE = /^[0-9a-f]{64}$/u;
// Sixteen digits are those of 2^53 - 1.
const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/u;
