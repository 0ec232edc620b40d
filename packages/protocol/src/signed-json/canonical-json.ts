/** The canonical text of a JSON text: what a signer signs. @module */
import { refuse, Refusal } from '../refusal.ts';
import { asciiText } from './ascii-text.ts';
import { SIGNED_JSON_LIMITS, type SignedJsonLimits } from './limits.ts';
import { scanJson } from './scan-value.ts';

/**
 * Prints a JSON text as `json.dumps(json.loads(text), sort_keys=True)` would, but for numbers, which
 * stay as they are written. A "sig" is a member like every other here.
 *
 * @param json - any JSON value, as text or in UTF-8
 * @returns pure ASCII, or a refusal `E_VERIFY_SIZE`, `E_VERIFY_JSON`, `E_VERIFY_DUPLICATE_KEY`,
 * `E_VERIFY_DEPTH`
 * @see RFC 8259
 */
export function canonicalJson(
  json: string | Uint8Array,
  limits: SignedJsonLimits = SIGNED_JSON_LIMITS,
): string | Refusal {
  // The encoder would replace a lone surrogate: another text would be signed than was given.
  if (typeof json === 'string' && !json.isWellFormed()) {
    return refuse('E_VERIFY_JSON', 'The text has a lone surrogate that is not escaped.');
  }
  const input = typeof json === 'string' ? new TextEncoder().encode(json) : json;
  if (input.length > limits.bytesMax) {
    return refuse('E_VERIFY_SIZE', `${input.length} bytes; at most ${limits.bytesMax}.`);
  }
  const scan = scanJson(input, { depthMax: limits.depthMax, keyOrder: 'text' });
  return scan instanceof Refusal ? scan : asciiText(scan.text, 0, scan.length);
}
