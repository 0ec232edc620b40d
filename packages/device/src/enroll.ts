/** Enrollment: turns a claim into a device bundle. @module */
import type { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { type ClaimText, parseClaim } from '@holdfast/protocol';
import { BUNDLE_FILES, type Bundle, loadBundle } from './bundle.ts';
import { DeviceError } from './device-error.ts';
import { type PayloadKeyFiles, fetchAnchor, fetchCertificate, fetchPayloadKeys } from './est.ts';
import { PartialBundle } from './partial-bundle.ts';
import type { Pin } from './pin.ts';

/** What to enroll with. */
export interface EnrollOptions {
  /** The claim text, as the server printed it: `holdfast-claim/1/…`. It works once. */
  readonly claim: string;
  /** The folder to make for the bundle. It must not exist; its parent folders may be missing. */
  readonly out: string;
  /** Is told what was done, one sentence a step. Default: nobody. */
  readonly log?: (line: string) => void;
}

/**
 * Enrolls a device: makes its key, redeems the claim for an operational certificate, fetches the
 * payload keys, and writes the bundle. The claim is sent only to a server that is proven by the
 * trust anchor in the claim itself.
 *
 * Interrupted, it can be repeated with the same claim for ten minutes: the key waits in
 * `<out>.partial`, and the server gives the same key the same certificate again.
 *
 * @returns the bundle, which is now in `out`
 * @throws DeviceError `E_DEVICE_CLAIM_FORM`, `E_DEVICE_EXISTS`, `E_DEVICE_PARTIAL`,
 *   `E_DEVICE_MODE`, `E_DEVICE_ANCHOR`, `E_DEVICE_CLAIM_REFUSED`, `E_DEVICE_ENROLL`, or what the
 *   connection failed of: `E_DEVICE_UNREACHABLE`, `_SERVER`, `_HOST_NAME`, `_CLOCK`, `_CONNECTION`
 * @see RFC 7030
 * @example
 * const bundle = await enroll({ claim: 'holdfast-claim/1/…', out: './thermostat-1' });
 */
export async function enroll({ claim: text, out, log }: EnrollOptions): Promise<Bundle> {
  const say = log ?? (() => {});
  const claim = readClaim(text);
  const folder = resolve(out);
  const partial = PartialBundle.open(folder, claim.deviceId);
  const { anchor, pool } = await fetchAnchor(claim);
  say('The server shows the trust anchor that the claim names.');

  const privateKey = partial.key();
  const chain = await fetchCertificate(claim, { privateKey, anchor, pool });
  say(`It issued a certificate for ${claim.deviceId}, valid to ${chain[0]?.validTo ?? ''}.`);

  const identity = {
    anchorPem: pemOf([anchor]),
    certificatePem: pemOf(chain),
    keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
  const keys = await fetchPayloadKeys(claim, identity);
  say('The payload keys are here.');

  partial.write(BUNDLE_FILES.anchor, identity.anchorPem);
  partial.write(BUNDLE_FILES.certificate, identity.certificatePem);
  writeKeysAndSettings(partial, keys);
  partial.finish();
  say(`The bundle is in ${folder}.`);
  return loadBundle(folder);
}

function readClaim(text: string): ClaimText {
  const claim = parseClaim(text);
  if (claim !== undefined) return claim;
  // The text is not repeated: it may be a claim with one character too many.
  throw new DeviceError('E_DEVICE_CLAIM_FORM', {
    message: 'This is no claim text.',
    fix: 'Copy it whole: one line that begins with holdfast-claim/1/.',
  });
}

function writeKeysAndSettings(partial: PartialBundle, keys: PayloadKeyFiles): void {
  const { device, tenant, kid, pins } = keys.settings;
  const pinned = pins.length === 1 ? pins[0] : pins;
  const settings = { version: 1, device, tenant, kid, broker: keys.brokerUrl, pins: pinned };
  partial.write(BUNDLE_FILES.payloadKey, `${keys.payloadKeyHex}\n`);
  partial.write(BUNDLE_FILES.commandKey, `${keys.commandKeyHex}\n`);
  partial.write(BUNDLE_FILES.pin, pins.map(pinLines).join(''));
  partial.write(BUNDLE_FILES.settings, `${JSON.stringify(settings, undefined, 2)}\n`);
}

/** The forms that curl (`--pinnedpubkey`) and `openssl x509 -fingerprint` use. */
function pinLines({ spki, certificate }: Pin): string {
  const spkiLine = spki === undefined ? '' : `sha256//${spki}\n`;
  if (certificate === undefined) return spkiLine;
  const pairs = certificate.toUpperCase().match(/../gu) ?? [];
  return `${spkiLine}SHA256 Fingerprint=${pairs.join(':')}\n`;
}

function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}
