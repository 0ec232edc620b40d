/** The text of a recovery share, as it is printed, kept in a safe, and typed again. @module */
import { hash } from 'node:crypto';
import { Fault, type RandomBytes, Secret, type SecretBytes } from '../kernel/index.ts';
import { joinShares, splitSecret } from './shamir.ts';
import { UNSEAL_KEY_BYTES } from './unseal-custody.ts';

/** One share as it was read. */
export interface RecoveryShare {
  /** Which shares belong together, lower-case hex. */
  readonly setId: string;
  /** How many of them open. */
  readonly threshold: number;
  /** 1 to 255. */
  readonly index: number;
  readonly value: Uint8Array;
}

/** Shares that were made. */
export interface RecoveryShares {
  readonly setId: string;
  /** Secret, each for another person. */
  readonly texts: readonly string[];
}

/** Splits the unseal key into shares, of which `threshold` open. */
export function makeShares(
  key: SecretBytes,
  { count, threshold, random }: { count: number; threshold: number; random: RandomBytes },
): RecoveryShares {
  const setId = Buffer.from(random(SET_ID_BYTES)).toString('hex');
  const shares = splitSecret(key.expose(), { count, threshold, random });
  const texts = shares.map(({ x, y }) => formatShare({ setId, threshold, index: x, value: y }));
  return { setId, texts };
}

/** Joins shares of one set. @throws Fault `E_CRYPTO_SHARE` when they do not belong together. */
export function joinRecoveryShares(shares: readonly RecoveryShare[]): SecretBytes {
  const [first] = shares;
  if (first === undefined) throw shareFault('No share was given');
  if (shares.some(({ setId }) => setId !== first.setId)) {
    throw shareFault('The shares are of different sets', 'Take shares that begin alike.');
  }
  const distinct = new Map(shares.map((share) => [share.index, share]));
  if (distinct.size < first.threshold) {
    throw shareFault(
      `${first.threshold} different shares are needed, and ${distinct.size} were given`,
      'Ask somebody else who keeps one.',
    );
  }
  const used = [...distinct.values()].slice(0, first.threshold);
  return new Secret(joinShares(used.map(({ index, value }) => ({ x: index, y: value }))));
}

/** Writes a share: `HFS1-` and groups of five characters that are hard to confuse. */
export function formatShare({ setId, threshold, index, value }: RecoveryShare): string {
  const content = Buffer.concat([
    Buffer.from(setId, 'hex'),
    Buffer.from([threshold, index]),
    value,
  ]);
  const text = encodeBase32(Buffer.concat([content, checksum(content)]));
  return `${PREFIX}-${(text.match(/.{1,5}/gu) ?? []).join('-')}`;
}

/** Reads a share, however it was grouped, and whichever of two characters that look alike it has. @throws Fault `E_CRYPTO_SHARE` when it has an error. */
export function parseShare(text: string): RecoveryShare {
  const compact = text
    .toUpperCase()
    .replaceAll(/[\s-]/gu, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/gu, '1');
  if (!compact.startsWith(PREFIX)) throw shareFault('That is no recovery share');
  const bytes = decodeBase32(compact.slice(PREFIX.length));
  if (bytes?.length !== SHARE_BYTES) throw shareFault('The share is not complete');
  const content = bytes.subarray(0, -CHECKSUM_BYTES);
  // A check against mistyping: what a wrong share opens is found out by what it does not open.
  if (!checksum(content).equals(bytes.subarray(-CHECKSUM_BYTES))) {
    throw shareFault('A character of the share is wrong');
  }
  const threshold = content[SET_ID_BYTES] ?? 0;
  const index = content[SET_ID_BYTES + 1] ?? 0;
  if (threshold < 2 || index < 1) throw shareFault('That is no recovery share');
  const setId = content.subarray(0, SET_ID_BYTES).toString('hex');
  return { setId, threshold, index, value: content.subarray(SET_ID_BYTES + 2) };
}

function checksum(content: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([CHECKSUM_LABEL, content]), 'buffer').subarray(
    0,
    CHECKSUM_BYTES,
  );
}

/** Crockford's alphabet, five bits a character, the last one filled up with zeros. */
function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) text += ALPHABET[(bits >> (count - 5)) & 31];
    bits &= (1 << count) - 1;
  }
  return count === 0 ? text : text + ALPHABET[(bits << (5 - count)) & 31];
}

function decodeBase32(text: string): Buffer | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let count = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    bits = ((bits << 5) | value) & 0xfff;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    bytes.push((bits >> count) & 0xff);
  }
  return Buffer.from(bytes);
}

function shareFault(what: string, fix = 'Compare it with the print, group by group.'): Fault {
  return new Fault({ code: 'E_CRYPTO_SHARE', what: `${what}.`, fix });
}

const PREFIX = 'HFS1';
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const SET_ID_BYTES = 4;
const CHECKSUM_BYTES = 4;
const SHARE_BYTES = SET_ID_BYTES + 2 + UNSEAL_KEY_BYTES + CHECKSUM_BYTES;
const CHECKSUM_LABEL = Buffer.from('holdfast/recovery-share/v1');
