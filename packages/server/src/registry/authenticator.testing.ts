/** An authenticator in software: it makes passkeys and uses them, rightly or as a test wants it. @module */
import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { NewPasskey, PasskeyOptions, UsedPasskey } from '@holdfast/protocol/api';

/** What a test may change of a ceremony. */
export interface CeremonyFaults {
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly challenge?: string;
  /** Flags of the authenticator data; 0x05 is present and verified. WebAuthn §6.1 */
  readonly flags?: number;
  readonly counter?: number;
  readonly userHandle?: string;
  /** The format of the attestation, with a certificate that nobody looks at. */
  readonly format?: string;
}

const ATTESTED = 0x40;

/** One passkey in one authenticator. */
export class SoftAuthenticator {
  readonly #origin: string;
  readonly #keys: { publicKey: KeyObject; privateKey: KeyObject };
  readonly id: string;
  #counter = 0;
  #userHandle = '';

  constructor(origin: string) {
    this.#origin = origin;
    this.#keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.id = randomBytes(20).toString('base64url');
  }

  /** Answers creation options. */
  create(options: PasskeyOptions, faults: CeremonyFaults = {}): NewPasskey {
    const { user, rp } = options as unknown as { user: { id: string }; rp: { id: string } };
    this.#userHandle = user.id;
    const id = Buffer.from(this.id, 'base64url');
    const length = Buffer.from([0, id.length]);
    const credential = Buffer.concat([Buffer.alloc(16), length, id, this.#coseKey()]);
    const data = this.#data({ rpId: rp.id, flags: 0x05, ...faults }, ATTESTED);
    const authData = Buffer.concat([data, credential]);
    const { format = 'none' } = faults;
    const statement: Cbor = format === 'none' ? new Map() : new Map([['x5c', [Buffer.alloc(1)]]]);
    const attestation = new Map<Cbor, Cbor>([
      ['fmt', format],
      ['attStmt', statement],
      ['authData', authData],
    ]);
    return {
      id: this.id,
      rawId: this.id,
      type: 'public-key',
      response: {
        clientDataJSON: this.#clientData('webauthn.create', options, faults).toString('base64url'),
        attestationObject: encodeCbor(attestation).toString('base64url'),
        transports: ['internal'],
      },
    };
  }

  /** Answers request options. */
  get(options: PasskeyOptions, faults: CeremonyFaults = {}): UsedPasskey {
    const { rpId } = options as unknown as { rpId: string };
    const authenticatorData = this.#data({ rpId, flags: 0x05, ...faults }, 0);
    const clientData = this.#clientData('webauthn.get', options, faults);
    const hash = createHash('sha256').update(clientData).digest();
    const signed = Buffer.concat([authenticatorData, hash]);
    return {
      id: this.id,
      rawId: this.id,
      type: 'public-key',
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authenticatorData.toString('base64url'),
        signature: sign('sha256', signed, this.#keys.privateKey).toString('base64url'),
        userHandle: faults.userHandle ?? this.#userHandle,
      },
    };
  }

  #clientData(type: string, { challenge }: PasskeyOptions, faults: CeremonyFaults): Buffer {
    const { origin = this.#origin } = faults;
    const data = { type: faults.type ?? type, challenge: faults.challenge ?? challenge, origin };
    return Buffer.from(JSON.stringify({ ...data, crossOrigin: false }), 'utf8');
  }

  #data(
    { rpId, flags, counter }: { rpId: string; flags: number; counter?: number },
    more: number,
  ): Buffer {
    this.#counter = counter ?? this.#counter + 1;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.#counter);
    const hash = createHash('sha256').update(rpId, 'utf8').digest();
    return Buffer.concat([hash, Buffer.from([flags | more]), count]);
  }

  /** ES256 on P-256. RFC 9053 §7.1.1 */
  #coseKey(): Buffer {
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' });
    return encodeCbor(
      new Map<Cbor, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]),
    );
  }
}

type Cbor = number | string | Buffer | readonly Cbor[] | ReadonlyMap<Cbor, Cbor>;

/** As much of CBOR as an authenticator needs. RFC 8949 */
function encodeCbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'utf8');
    return Buffer.concat([head(3, bytes.length), bytes]);
  }
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (value instanceof Map) {
    const members = [...value].flatMap(([key, member]) => [encodeCbor(key), encodeCbor(member)]);
    return Buffer.concat([head(5, value.size), ...members]);
  }
  const items = value as readonly Cbor[];
  return Buffer.concat([head(4, items.length), ...items.map(encodeCbor)]);
}

function head(major: number, count: number): Buffer {
  if (count < 24) return Buffer.from([(major << 5) | count]);
  if (count < 256) return Buffer.from([(major << 5) | 24, count]);
  return Buffer.from([(major << 5) | 25, count >> 8, count & 255]);
}
