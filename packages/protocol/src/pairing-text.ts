/** The pairing text: everything an app needs to be paired, short enough for a QR code. @module */

/** What a pairing text says. */
export interface PairingText {
  /** Host name of the API; an IPv6 address in brackets. */
  readonly host: string;
  /** Port of the API, 1 to 65535. */
  readonly port: number;
  /** A device, which gets this owner; or `owner:<id>`, whose app the new one becomes. */
  readonly of: string;
  /** SHA-256 of the trust anchor (root certificate, DER) in base64url: 43 characters. */
  readonly anchorPin: string;
  /** The one-time code, `XXXX-XXXX-XXXX-XXXX`: 80 bits. */
  readonly code: string;
}

/** What a code can be for: a device, or an owner. */
export const PAIRED_WITH = /^(?:owner:[a-z2-7]{20}|[A-Za-z0-9][A-Za-z0-9._-]{0,63})$/;

const FORM =
  /^holdfast-pair\/1\/([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})\/([^/]{1,64})\/([A-Za-z0-9_-]{43})\/([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})$/;

/** Writes a pairing text. It needs no quoting in a shell. */
export function formatPairing({ host, port, of, anchorPin, code }: PairingText): string {
  return `holdfast-pair/1/${host}:${port}/${of}/${anchorPin}/${code}`;
}

/** Reads a pairing text; undefined when the text is none. */
export function parsePairing(text: string): PairingText | undefined {
  const match = FORM.exec(text.trim());
  if (match === null) return undefined;
  const [, host = '', port = '', of = '', anchorPin = '', code = ''] = match;
  const portNumber = Number(port);
  if (portNumber < 1 || portNumber > 65_535 || !PAIRED_WITH.test(of)) return undefined;
  return { host, port: portNumber, of, anchorPin, code };
}
