/** Numbers: checked against the grammar and copied, never parsed and printed. @module */
import { refuse, type Refusal } from '../refusal.ts';
import { END, isDigit, LOWER_E, MINUS, PLUS, POINT, UPPER_E, UPPER_I, ZERO } from './ascii.ts';
import type { Scan } from './scan.ts';

/** Copies the number that starts at the position. RFC 8259 §6 */
export function scanNumber(scan: Scan): Refusal | undefined {
  const { input } = scan;
  let end = scan.position;
  if (input[end] === MINUS) end += 1;
  const integerEnd = input[end] === ZERO ? end + 1 : skipDigits(input, end);
  if (integerEnd === end) return refuseNoDigit(scan, end);
  end = integerEnd;
  if (input[end] === POINT) {
    const fractionEnd = skipDigits(input, end + 1);
    if (fractionEnd === end + 1) return scan.expected('a digit', fractionEnd);
    end = fractionEnd;
  }
  if (input[end] === LOWER_E || input[end] === UPPER_E) {
    end += 1;
    if (input[end] === PLUS || input[end] === MINUS) end += 1;
    const exponentEnd = skipDigits(input, end);
    if (exponentEnd === end) return scan.expected('a digit', end);
    end = exponentEnd;
  }
  for (let i = scan.position; i < end; i++) scan.put(input[i] ?? END);
  scan.position = end;
  return undefined;
}

/** Refuses what Python prints for a float that is no number, and names it. */
export function refuseNotFinite(name: string, at: number): Refusal {
  return refuse('E_VERIFY_JSON', `Byte ${at}: ${name} is no JSON; send null instead.`);
}

function refuseNoDigit(scan: Scan, at: number): Refusal {
  const isInfinity = scan.input[at] === UPPER_I;
  return isInfinity ? refuseNotFinite('-Infinity', scan.position) : scan.expected('a digit', at);
}

function skipDigits(input: Uint8Array, from: number): number {
  let end = from;
  while (isDigit(input[end] ?? END)) end += 1;
  return end;
}
