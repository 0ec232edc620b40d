/** The file of a boot key: RSA, because that is what boot loaders check. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import { z } from 'zod';
import { readBootKey } from './boot-key.ts';

/** How the private key is kept. */
export const BootKeyFileSchema = z.strictObject({
  type: z.literal('holdfast-boot-key/1'),
  /** Under which images and boot loader know it. */
  name: z.string().max(31),
  /** PEM. */
  publicKey: z.string().max(1_024),
  /** PKCS#8, by argon2id and AES-256-GCM under a passphrase. */
  sealed: z.strictObject({ kdf: z.looseObject({}), box: z.base64().max(4_096) }),
});
export type BootKeyFile = Readonly<z.infer<typeof BootKeyFileSchema>>;

/** Reads a key file. @returns it, or `E_UPDATE_FIT` */
export function readBootKeyFile(text: string): BootKeyFile | Refusal {
  const parsed = BootKeyFileSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    return refuse('E_UPDATE_FIT', 'It is no key file of holdfast fw boot-key make.');
  }
  const key = readBootKey(parsed.data.name, parsed.data.publicKey);
  return key instanceof Refusal ? key : parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return text.length > TEXT_MAX ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Longest text of such a file, in characters. */
const TEXT_MAX = 16_384;
