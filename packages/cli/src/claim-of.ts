/** Reads the claims that a server answers with. @module */
import { type ClaimText, parseClaim } from '@holdfast/protocol';
import { Failure } from './failure.ts';

/**
 * The claim of a device, in a text of the server. It goes into a command to copy, into a table for
 * spreadsheets and into QR codes: whatever else the text may be, it does not get there.
 * @throws Failure `E_CLIENT_RESPONSE`
 */
export function claimOf(deviceId: string, text: string): ClaimText {
  const claim = parseClaim(text);
  if (claim?.deviceId === deviceId && text === text.trim()) return claim;
  throw new Failure('E_CLIENT_RESPONSE', {
    what: `The server answered with something that is no claim of ${deviceId}.`,
    why: 'A claim names its device, so that none is given to another one by mistake.',
    fix: 'Check that the address is that of your server, and that it has the same version.',
  });
}
