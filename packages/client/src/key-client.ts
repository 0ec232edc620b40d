/** The keys of the data folder, as a part of the client. @module */
import { KeyStatusSchema } from '@holdfast/protocol/api';
import type { KeyStatus } from '@holdfast/protocol/api';
import type { z } from 'zod';

/** How the keys stand, and their rotation. */
export interface KeyClient {
  keyStatus(): Promise<KeyStatus>;
  /** Makes a new key-encryption key; `keyStatus` tells how far the rotation is. */
  rotateKeys(): Promise<KeyStatus>;
}

/** How requests are made. */
export interface KeyCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
  readonly post: <T>(schema: z.ZodType<T>, path: string, body?: unknown) => Promise<T>;
}

/** Makes this part of the client. */
export function keyClient({ read, post }: KeyCalls): KeyClient {
  return {
    keyStatus: () => read(KeyStatusSchema, '/v1/keys'),
    rotateKeys: () => post(KeyStatusSchema, '/v1/keys/rotate'),
  };
}
