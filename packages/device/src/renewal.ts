/** Renewal: a new key and a new certificate, over EST. @see RFC 7030 §4.2.2 @module */
import { X509Certificate } from 'node:crypto';
import { acceptedPins } from './bundle-settings.ts';
import { type DeviceBundle, type LoadOptions, loadBundle } from './bundle.ts';
import { chainFor, pemOfChain, readPemCertificates } from './certificate-chain.ts';
import { DeviceError } from './device-error.ts';
import type { DeviceKey } from './device-key.ts';
import { REQUEST_HEADERS, describeAnswer, readAnswerCertificates, requestBody } from './est.ts';
import { type Answer, type CallTarget, callPinned } from './https-call.ts';
import {
  type DeviceIdentity,
  type FileSteps,
  fileSteps,
  nextKey,
  storeNext,
  switchToNext,
} from './identity-files.ts';
import { PIN_SET_PATH } from './pin-set.ts';

/**
 * Asks for a certificate for a new key, and keeps both as the next identity of the bundle. Asked
 * again after an interruption, it goes on with the key that was made before.
 *
 * @returns the next identity, which the server accepts from now on as well as the present one
 * @throws DeviceError `E_DEVICE_RENEWAL`, or what the connection failed of
 */
export async function requestRenewal(
  bundle: DeviceBundle,
  files: FileSteps = fileSteps,
): Promise<DeviceIdentity> {
  if (bundle.next !== undefined) return bundle.next;
  const place = { folder: bundle.folder, keys: bundle.keys, files };
  const target = enrollmentTarget(bundle);
  const key = nextKey(place);
  const answer = await callPinned(target, {
    path: '/.well-known/est/simplereenroll',
    post: { body: await requestBody(key.signer, bundle.device), headers: REQUEST_HEADERS },
  });
  if (answer.status !== 200) throw refused(answer);
  const chain = await chainOf(answer, { bundle, key, target });
  const [leaf] = chain;
  // A certificate of another name would make this device another one.
  if (leaf === undefined || leaf.subjectAltName !== bundle.certificate.subjectAltName) {
    throw unusable();
  }
  return storeNext(place, key, pemOfChain(chain));
}

/** How to renew by hand. */
export interface RenewOptions extends LoadOptions {
  /** Folder of the bundle. No other program of the SDK may be using it. */
  readonly bundle: string;
}

/**
 * Renews the certificate of a bundle now, and makes the new one the only one when the server has
 * accepted it. For devices whose program is not the SDK: {@link connect} renews by itself.
 *
 * @returns the bundle with its new certificate
 * @throws DeviceError `E_DEVICE_RENEWAL`, `E_DEVICE_BUNDLE`, `E_DEVICE_MODE`, or what the
 *   connection failed of. A later call goes on where this one stopped.
 */
export async function renew({ bundle: folder, ...options }: RenewOptions): Promise<DeviceBundle> {
  const bundle = loadBundle(folder, options);
  const identity = await requestRenewal(bundle);
  const target = { ...enrollmentTarget(bundle), identity };
  // Its first use; the server then ends the certificate before it.
  const answer = await callPinned(target, { path: PIN_SET_PATH });
  if (answer.status !== 200) throw refused(answer);
  switchToNext({ folder, keys: bundle.keys, files: fileSteps });
  return loadBundle(folder, options);
}

/** The enrollment listener, called with the identity in use. */
export function enrollmentTarget(bundle: DeviceBundle): CallTarget {
  const { enrollment: peer, anchorPem, apiKey } = bundle;
  const pins = acceptedPins(bundle);
  if (peer !== undefined) return { peer, anchorPem, pins, identity: bundle, apiKey };
  throw new DeviceError('E_DEVICE_RENEWAL', {
    message: 'The bundle does not say where the enrollment listener is.',
    fix: 'Add it to holdfast.json: "enrollment": "https://<host>:8444".',
  });
}

/**
 * The answer may hold the new certificate alone. Its issuers are then those of the present one,
 * or, after the authority has new keys, among the cacerts. RFC 7030 §4.2.3
 */
async function chainOf(
  answer: Answer,
  { bundle, key, target }: { bundle: DeviceBundle; key: DeviceKey; target: CallTarget },
): Promise<X509Certificate[]> {
  const anchor = new X509Certificate(bundle.anchorPem);
  const { publicKey } = key.signer;
  const delivered = readAnswerCertificates(answer.body);
  const known = readPemCertificates(bundle.certificatePem) ?? [];
  const chain = chainFor(publicKey, { pool: [...delivered, ...known], anchor });
  if (chain !== undefined) return chain;
  const { body } = await callPinned(target, { path: '/.well-known/est/cacerts' });
  const pool = [...delivered, ...readAnswerCertificates(body)];
  const longer = chainFor(publicKey, { pool, anchor });
  if (longer === undefined) throw unusable();
  return longer;
}

function refused(answer: Answer): DeviceError {
  return new DeviceError('E_DEVICE_RENEWAL', {
    message: `The server answered the renewal with ${describeAnswer(answer)}.`,
    fix: 'Look at the refusals on the server; they name the reason.',
  });
}

function unusable(): DeviceError {
  return new DeviceError('E_DEVICE_RENEWAL', {
    message: 'The answer holds no certificate for this device and its new key.',
    fix: 'Look at the log of the server.',
  });
}
