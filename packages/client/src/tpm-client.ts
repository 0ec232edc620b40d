/** TPMs of devices, as a part of the client. @module */
import { type TpmView, TpmViewSchema } from '@holdfast/protocol/api';
import { parseAs } from './event-stream.ts';
import type { ApiRequest, ApiResponse } from './transport.ts';

/** TPMs, and what they have proven. */
export interface TpmClient {
  tpm(device: string): Promise<TpmView>;
  /** Vouches for the TPM with this endorsement key (SHA-256 of its SPKI, hexadecimal). */
  acceptTpm(device: string, ekSha256: string): Promise<TpmView>;
  /** Lets another TPM be bound to the device. */
  forgetTpm(device: string): Promise<void>;
}

/** Makes this part of the client. */
export function tpmClient({
  send,
}: {
  readonly send: (request: ApiRequest) => Promise<ApiResponse>;
}): TpmClient {
  const pathOf = (device: string): string => `/v1/devices/${encodeURIComponent(device)}/tpm`;
  const view = async (request: ApiRequest): Promise<TpmView> =>
    parseAs(TpmViewSchema, (await send(request)).text);
  return {
    tpm: (device) => view({ method: 'GET', path: pathOf(device) }),
    acceptTpm: (device, ekSha256) =>
      view({ method: 'PUT', path: pathOf(device), body: { ekSha256 } }),
    forgetTpm: async (device) => {
      await send({ method: 'DELETE', path: pathOf(device) });
    },
  };
}
