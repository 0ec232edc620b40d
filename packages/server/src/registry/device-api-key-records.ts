/** The records of the API keys of devices, and what is read out of them. @module */
import { z } from 'zod';
import type { Secret } from '../kernel/index.ts';
import type { ScramParameters, ScramVerifier } from './scram-verifier.ts';

const DeviceApiKeySchema = z.object({
  id: z.string(),
  storedKey: z.base64(),
  serverKey: z.base64(),
  createdAtMs: z.int(),
  /** Its expiry, or the end of its overlap with the next key, whichever comes first. */
  endsAtMs: z.int().optional(),
  usedAtMs: z.int().optional(),
});
/** An API key of a device, as it is kept: never the key itself. */
export type DeviceApiKey = Readonly<z.infer<typeof DeviceApiKeySchema>>;

export const ApiKeySetSchema = z.object({
  deviceId: z.string(),
  /** One for all keys of the device: a client names no key when it asks for the salt. */
  salt: z.base64(),
  iterations: z.int(),
  /** Oldest first. */
  keys: z.array(DeviceApiKeySchema),
});
/** The API keys of one device. */
export type ApiKeySet = Readonly<z.infer<typeof ApiKeySetSchema>>;

/** A new key, in the clear this one time. */
export interface MadeDeviceApiKey {
  readonly deviceId: string;
  readonly key: Secret<string>;
  readonly record: DeviceApiKey;
  /** Base64. */
  readonly salt: string;
}

/** A key to compare with. */
export interface KnownVerifier extends ScramVerifier {
  readonly keyId: string;
}

/** All that checking a key of one device takes. */
export interface DeviceVerifiers extends ScramParameters {
  /** As many for every device, some of which nothing matches. */
  readonly known: readonly KnownVerifier[];
}
