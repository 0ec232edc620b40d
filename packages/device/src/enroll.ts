/** Enrollment: turns a claim into a device bundle. @module */
import { createSecretKey } from 'node:crypto';
import { resolve } from 'node:path';
import { type ClaimText, parseClaim } from '@holdfast/protocol';
import { BUNDLE_FILES } from './bundle-files.ts';
import { formatSettings } from './bundle-settings.ts';
import { type Bundle, type DeviceBundle, loadBundle } from './bundle.ts';
import { pemOfChain } from './certificate-chain.ts';
import { DeviceError } from './device-error.ts';
import { type DeviceToken, fileKeys } from './device-key.ts';
import { enrollmentPeer, fetchAnchor, fetchCertificate, fetchPayloadKeys } from './est.ts';
import { PartialBundle } from './partial-bundle.ts';
import { pinLines } from './pin.ts';

/** What to enroll with. */
export interface EnrollOptions {
  /** The claim text, as the server printed it: `holdfast-claim/1/…`. It works once. */
  readonly claim: string;
  /** The folder to make for the bundle. It must not exist; its parent folders may be missing. */
  readonly out: string;
  /** Is told what was done, one sentence a step. Default: nobody. */
  readonly log?: (line: string) => void;
  /** Where to make the private key and to keep the payload key. Default: in files of the bundle. */
  readonly token?: DeviceToken | undefined;
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
 *   `E_DEVICE_MODE`, `E_DEVICE_TOKEN`, `E_DEVICE_ANCHOR`, `E_DEVICE_CLAIM_REFUSED`,
 *   `E_DEVICE_ENROLL`, or what the connection failed of: `E_DEVICE_UNREACHABLE`, `_SERVER`, `_HOST_NAME`, `_CLOCK`, `_CONNECTION`
 * @see RFC 7030
 * @example
 * const bundle = await enroll({ claim: 'holdfast-claim/1/…', out: './thermostat-1' });
 */
export function enroll(options: EnrollOptions & { readonly token?: undefined }): Promise<Bundle>;
export function enroll(options: EnrollOptions): Promise<DeviceBundle>;
export async function enroll(options: EnrollOptions): Promise<DeviceBundle> {
  const { claim: text, out, log, token } = options;
  const say = log ?? (() => {});
  const claim = readClaim(text);
  const folder = resolve(out);
  const partial = PartialBundle.open(folder, claim.deviceId);
  const { anchor, pool } = await fetchAnchor(claim);
  say('The server shows the trust anchor that the claim names.');

  const { signer, tlsKey } = partial.key(token ?? fileKeys);
  const chain = await fetchCertificate(claim, { signer, anchor, pool });
  say(`It issued a certificate for ${claim.deviceId}, valid to ${chain[0]?.validTo ?? ''}.`);

  const certificatePem = pemOfChain(chain);
  const anchorPem = pemOfChain([anchor]);
  const identity = { certificatePem, tlsKey };
  const keys = await fetchPayloadKeys(claim, { anchorPem, identity });
  say('The payload keys are here.');

  const settings = { ...keys.settings, enrollment: enrollmentPeer(claim) };
  const payloadKey = token?.importMacKey(keyOf(keys.payloadKeyHex)) ?? keys.payloadKeyHex;
  partial.write(BUNDLE_FILES.anchor, anchorPem);
  partial.write(BUNDLE_FILES.certificate, certificatePem);
  partial.write(BUNDLE_FILES.payloadKey, `${payloadKey}\n`);
  partial.write(BUNDLE_FILES.commandKey, `${keys.commandKeyHex}\n`);
  partial.write(BUNDLE_FILES.pin, settings.pins.map(pinLines).join(''));
  partial.write(BUNDLE_FILES.settings, formatSettings(settings));
  partial.finish();
  say(`The bundle is in ${folder}.`);
  return loadBundle(folder, { token });
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

function keyOf(hex: string) {
  return createSecretKey(Buffer.from(hex, 'hex'));
}
