/** The claim text: everything a device needs to enroll, short enough for a QR code. @module */

/** What a claim text says. */
export interface ClaimText {
  /** Host name of the enrollment listener. */
  readonly host: string;
  /** Port of the enrollment listener, 1 to 65535. */
  readonly port: number;
  readonly deviceId: string;
  /** SHA-256 of the trust anchor (root certificate, DER) in base64url: 43 characters. */
  readonly anchorPin: string;
  /** The one-time secret: 32 bytes in base64url, 43 characters. Also the EST password. */
  readonly secret: string;
}

const FORM =
  /^holdfast-claim\/1\/([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})\/([A-Za-z0-9_-]{43})\/([A-Za-z0-9_-]{43})$/;

/** Writes a claim. The text needs no quoting in a shell. */
export function formatClaim({ host, port, deviceId, anchorPin, secret }: ClaimText): string {
  return `holdfast-claim/1/${host}:${port}/${deviceId}/${anchorPin}/${secret}`;
}

/** Reads a claim; undefined when the text is none. */
export function parseClaim(text: string): ClaimText | undefined {
  const match = FORM.exec(text.trim());
  if (match === null) return undefined;
  const [, host = '', port = '', deviceId = '', anchorPin = '', secret = ''] = match;
  const portNumber = Number(port);
  if (portNumber < 1 || portNumber > 65_535) return undefined;
  return { host, port: portNumber, deviceId, anchorPin, secret };
}
