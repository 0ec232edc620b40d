/** Does what a TPM does, with keys in memory: only for the rules around it. @module */
import {
  constants,
  createDecipheriv,
  createHash,
  createHmac,
  createSign,
  generateKeyPairSync,
  privateDecrypt,
  timingSafeEqual,
} from 'node:crypto';
import type { Credential } from '@holdfast/firmware';
import type { ShownTpm } from './boot-proofs.ts';

/** The keys of one TPM, and what was measured into it. */
export class SoftAttester {
  readonly #ek = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  readonly #ak = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** SHA-256 of each event of PCR 8, in hexadecimal. */
  events: string[] = [];
  /** In DER, as a manufacturer has made them. */
  ekCertificates: Uint8Array[] = [];

  /** What it shows of itself. */
  get shown(): ShownTpm {
    const ek = this.#ek.publicKey.export({ format: 'der', type: 'spki' });
    return { ek, ekCertificates: this.ekCertificates, ak: this.#akPublic() };
  }

  get ekSha256(): string {
    return createHash('sha256').update(this.shown.ek).digest('hex');
  }

  /** What is in a credential; undefined when it is for other keys. */
  open({ idObject, encryptedSecret }: Credential): Uint8Array | undefined {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const oaep = { padding, oaepHash: 'sha256', oaepLabel: Buffer.from('IDENTITY\0') };
    let seed: Buffer;
    try {
      seed = privateDecrypt({ key: this.#ek.privateKey, ...oaep }, encryptedSecret);
    } catch {
      return undefined;
    }
    const name = this.#name();
    const [mac, identity] = [idObject.subarray(2, 34), idObject.subarray(34)];
    const key = kdfa(seed, 'INTEGRITY', Buffer.alloc(0), 256);
    const ours = createHmac('sha256', key).update(identity).update(name).digest();
    if (!timingSafeEqual(ours, mac)) return undefined;
    const symmetric = kdfa(seed, 'STORAGE', name, 128);
    const decipher = createDecipheriv('aes-128-cfb', symmetric, Buffer.alloc(16));
    return Buffer.concat([decipher.update(identity), decipher.final()]).subarray(2);
  }

  /** Quotes PCR 8, with the log of what is in it. */
  evidence(nonce: Uint8Array): { quote: Buffer; signature: Buffer; eventLog: Buffer } {
    let pcr = Buffer.alloc(32);
    for (const digest of this.events) {
      pcr = createHash('sha256').update(pcr).update(digest, 'hex').digest();
    }
    const quote = Buffer.concat([
      Buffer.from('ff5443478018', 'hex'),
      sized(this.#name()),
      sized(nonce),
      Buffer.alloc(25),
      Buffer.from('00000001000b03000100', 'hex'),
      sized(createHash('sha256').update(pcr).digest()),
    ]);
    const key = { key: this.#ak.privateKey, dsaEncoding: 'ieee-p1363' as const };
    const raw = createSign('sha256').update(quote).sign(key);
    const numbers = [sized(raw.subarray(0, 32)), sized(raw.subarray(32))];
    const signature = Buffer.concat([Buffer.from('0018000b', 'hex'), ...numbers]);
    return { quote, signature, eventLog: eventLogOf(this.events) };
  }

  #akPublic(): Buffer {
    const { x = '', y = '' } = this.#ak.publicKey.export({ format: 'jwk' });
    return Buffer.concat([
      Buffer.from('0023000b000500720000', 'hex'),
      Buffer.from('00100018000b00030010', 'hex'),
      sized(Buffer.from(x, 'base64url')),
      sized(Buffer.from(y, 'base64url')),
    ]);
  }

  #name(): Buffer {
    const digest = createHash('sha256').update(this.#akPublic()).digest();
    return Buffer.concat([Buffer.from('000b', 'hex'), digest]);
  }
}

function eventLogOf(events: readonly string[]): Buffer {
  const banks = Buffer.from('010000000b00200000', 'hex');
  const header = Buffer.concat([
    Buffer.from('Spec ID Event03\0', 'latin1'),
    Buffer.from('0000000000020002', 'hex'),
    banks,
  ]);
  return Buffer.concat([
    u32(0),
    u32(3),
    Buffer.alloc(20),
    u32(header.length),
    header,
    ...events.map((digest) =>
      Buffer.concat([
        Buffer.from('080000000d000000010000000b00', 'hex'),
        Buffer.from(digest, 'hex'),
        u32(0),
      ]),
    ),
  ]);
}

function kdfa(key: Uint8Array, label: string, context: Uint8Array, bits: number): Buffer {
  const hmac = createHmac('sha256', key)
    .update(Buffer.from([0, 0, 0, 1]))
    .update(`${label}\0`);
  const size = Buffer.from([0, 0, bits >> 8, bits & 0xff]);
  return hmac
    .update(context)
    .update(size)
    .digest()
    .subarray(0, bits / 8);
}

function sized(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
