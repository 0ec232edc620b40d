/** Checks the source of randomness, on which every key depends. @module */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Finding, bad, good, unknown } from './finding.ts';

const CHECK = 'randomness';

/** What the kernel counts as enough for keys; since Linux 5.18 it says this once it is ready. */
const ENTROPY_BITS_MIN = 256;

/** Looks at what the kernel says of itself, and draws. */
export function checkRandom(path = '/proc/sys/kernel/random/entropy_avail'): Finding {
  // Waits for the kernel where that is not ready; two draws that agree are no chance.
  if (randomBytes(32).equals(randomBytes(32))) {
    return bad(CHECK, 'The source of randomness repeats itself.', {
      why: 'Every key made here can be guessed.',
      fix: 'Make no keys on this machine, and find out what is wrong with it.',
    });
  }
  const bits = readBits(path);
  if (bits === undefined) {
    return unknown(CHECK, 'How much randomness the kernel has cannot be seen here.', {
      why: 'Only Linux tells. The random numbers that were drawn came at once.',
      fix: 'Nothing, on a machine that has run for a while.',
    });
  }
  if (bits >= ENTROPY_BITS_MIN) return good(CHECK, `the kernel has enough (${bits} bits)`);
  return bad(CHECK, `The kernel has gathered only ${bits} bits of randomness.`, {
    why: `Keys need ${ENTROPY_BITS_MIN}. New virtual machines without a source of it begin so.`,
    fix: 'Give the machine a source (virtio-rng), or install rng-tools, and wait before you make keys.',
  });
}

function readBits(path: string): number | undefined {
  try {
    const bits = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(bits) ? bits : undefined;
  } catch {
    return undefined;
  }
}
