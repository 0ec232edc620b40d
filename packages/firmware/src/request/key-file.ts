/** The files of a signer: the key, sealed or in a token, and what others are given of it. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import { z } from 'zod';
import { SignerName, readPublicKey } from '../metadata/index.ts';
import type { NamedKey } from './ceremony.ts';

const publicKey = z.string().max(512);

const PublicSignerSchema = z.strictObject({
  type: z.literal('holdfast-signer/1'),
  /** Of the person, as other signers know them. */
  name: SignerName,
  /** PEM. */
  publicKey,
});

/** How the private key is kept. */
export const SignerKeyFileSchema = z.strictObject({
  type: z.literal('holdfast-signer-key/1'),
  name: SignerName,
  publicKey,
  /** PKCS#8, by argon2id and AES-256-GCM under a passphrase. */
  sealed: z.strictObject({ kdf: z.looseObject({}), box: z.base64().max(1_024) }).optional(),
  /** A PKCS #11 token: its module and the URI of the key. RFC 7512 */
  token: z
    .strictObject({ module: z.string().min(1).max(4_096), uri: z.string().max(1_024) })
    .optional(),
});
export type SignerKeyFile = Readonly<z.infer<typeof SignerKeyFileSchema>>;

/** The file that a signer gives to others. @param publicKey - PEM */
export function publicSignerText(signer: {
  readonly name: string;
  readonly publicKey: string;
}): string {
  const { name, publicKey } = signer;
  return `${JSON.stringify({ type: 'holdfast-signer/1', name, publicKey }, undefined, 2)}\n`;
}

/** Reads such a file, or the key file itself. @returns the key, or `E_UPDATE_KEY` */
export function readPublicSigner(text: string): NamedKey | Refusal {
  const json = text.length > TEXT_MAX ? undefined : parseJson(text);
  const parsed = z.union([PublicSignerSchema, SignerKeyFileSchema]).safeParse(json);
  if (!parsed.success) return refuse('E_UPDATE_KEY', 'It is no file of holdfast fw key make.');
  const key = readPublicKey(parsed.data.publicKey);
  return key instanceof Refusal ? key : { key, name: parsed.data.name };
}

/** Reads a key file. @returns it, or `E_UPDATE_KEY` */
export function readSignerKeyFile(text: string): SignerKeyFile | Refusal {
  const json = text.length > TEXT_MAX ? undefined : parseJson(text);
  const parsed = SignerKeyFileSchema.safeParse(json);
  const isWhole =
    parsed.success && (parsed.data.sealed === undefined) !== (parsed.data.token === undefined);
  if (isWhole) return parsed.data;
  return refuse('E_UPDATE_KEY', 'It is no key file of holdfast fw key make.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Longest text of such a file, in characters. */
const TEXT_MAX = 16_384;
