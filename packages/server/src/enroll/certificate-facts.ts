/** What the log keeps of a certificate that was issued. @module */
import { certificatePin } from '../pki/index.ts';

/**
 * The facts of an act that gives a certificate: its SHA-256, and the certificate itself (DER in
 * base64). It stands nowhere else on the server, and the evidence of a reading needs it.
 */
export function certificateFacts(der: Uint8Array): { certificate: string; certificateDer: string } {
  return { certificate: certificatePin(der), certificateDer: Buffer.from(der).toString('base64') };
}
