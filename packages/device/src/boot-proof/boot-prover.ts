/** Binds the TPM of a device to it, and proves how it booted. @module */
import { DeviceError } from '../device-error.ts';
import type { PinnedAnswer, Request } from '../https-call.ts';
import { TPM_DEFAULTS, Tpm, type TpmSettings } from './tpm.ts';

/** One call to the enrollment listener of the pinned server, as this device. */
export type CallServer = (asked: Request) => Promise<Pick<PinnedAnswer, 'status' | 'body'>>;

/**
 * Proves to the server how this device booted: its TPM signs what was measured, and what the server
 * has just asked for. Binds the TPM first where the server does not know it.
 * @returns `waiting`: an operator has to vouch for the TPM.
 * @throws DeviceError `E_DEVICE_TPM`, `E_DEVICE_BOOT` when the server does not accept the proof.
 */
export async function proveBoot(
  call: CallServer,
  settings: Partial<TpmSettings> = {},
): Promise<'proven' | 'waiting'> {
  using tpm = new Tpm({ ...TPM_DEFAULTS, ...settings });
  // Another TPM than the bound one has no key of ours.
  let nonce = (await tpm.hasKeys()) ? await challenge(call) : undefined;
  if (nonce === undefined) {
    await bind(call, tpm);
    nonce = await challenge(call);
  }
  if (nonce === undefined) return 'waiting';
  const evidence = Object.entries(await tpm.quote(nonce));
  const body = Object.fromEntries(
    evidence.map(([name, bytes]) => [name, bytes.toString('base64')]),
  );
  const { status } = await post(call, 'prove', body);
  if (status === 204) return 'proven';
  throw new DeviceError('E_DEVICE_BOOT', {
    message: `The server does not take the proof of the boot (${status}).`,
    fix: 'The operator sees why: holdfast device tpm show. Boot the release that is assigned.',
  });
}

async function challenge(call: CallServer): Promise<Buffer | undefined> {
  const { status, body } = await post(call, 'challenge', {});
  return status === 200 ? field(body, 'nonce') : undefined;
}

async function bind(call: CallServer, tpm: Tpm): Promise<void> {
  const { ek, ekCertificate, ak } = await tpm.keys();
  const certificates = ekCertificate === undefined ? [] : [ekCertificate.toString('base64')];
  const shown = {
    ek: ek.toString('base64'),
    ekCertificates: certificates,
    ak: ak.toString('base64'),
  };
  const { status, body } = await post(call, 'bind', shown);
  if (status !== 200) throw notBound(status);
  const credential = {
    idObject: field(body, 'idObject'),
    encryptedSecret: field(body, 'encryptedSecret'),
  };
  const secret = await tpm.activate(credential);
  const ended = await post(call, 'activate', { secret: secret.toString('base64') });
  if (ended.status !== 204) throw notBound(ended.status);
}

function post(call: CallServer, step: string, body: object): ReturnType<CallServer> {
  const headers = { 'content-type': 'application/json' };
  return call({ path: `/update/v1/boot/${step}`, post: { body: JSON.stringify(body), headers } });
}

function field(text: string, name: string): Buffer {
  let value: unknown;
  try {
    value = (JSON.parse(text) as Readonly<Record<string, unknown>> | null)?.[name];
  } catch {
    // Said below.
  }
  if (typeof value === 'string') return Buffer.from(value, 'base64');
  throw new DeviceError('E_DEVICE_BOOT', {
    message: `The answer of the server has no ${name}.`,
    fix: 'See whether device and server are of the same version.',
  });
}

function notBound(status: number): DeviceError {
  return new DeviceError('E_DEVICE_BOOT', {
    message: `The server does not bind this TPM to the device (${status}).`,
    fix: 'The operator sees why: holdfast refusals. After a repair: holdfast device tpm forget.',
  });
}
