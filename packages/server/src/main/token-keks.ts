/** The key-encryption keys in a token, as `custody.json` names them. @module */
import {
  type KeyWrapper,
  type Token,
  destroyTokenKek,
  hasTokenKek,
  makeTokenKek,
  newTokenKeyId,
  tokenWrapper,
} from '../crypto/index.ts';
import { Fault, type RandomBytes } from '../kernel/index.ts';
import type { TokenKeks } from '../persistence/index.ts';
import type { TokenCustodyFile } from './custody-file.ts';

interface NamedKek {
  /** CKA_ID, lower-case hex. */
  readonly id: string;
  readonly key: KeyWrapper;
}

/** Names each key in the file before it is made, and until it is destroyed. */
export class FiledTokenKeks implements TokenKeks {
  readonly #token: Token;
  readonly #save: (file: TokenCustodyFile) => void;
  readonly #random: RandomBytes;
  #file: TokenCustodyFile;
  #keks: readonly NamedKek[];

  /** @throws Fault `E_CRYPTO_TOKEN_KEY` when the token has none of them, `E_CRYPTO_TOKEN_GCM`. */
  constructor(
    token: Token,
    {
      file,
      save,
      random,
    }: {
      readonly file: TokenCustodyFile;
      readonly save: (file: TokenCustodyFile) => void;
      readonly random: RandomBytes;
    },
  ) {
    this.#token = token;
    this.#save = save;
    this.#random = random;
    this.#file = file;
    // One that was named and not made, or destroyed and still named: a crash came in between.
    this.#keks = file.keks
      .filter((id) => hasTokenKek(token, Buffer.from(id, 'hex')))
      .map((id) => this.#open(id));
    if (this.#keks.length === 0) throw noKekFault(file.label);
  }

  get keys(): readonly KeyWrapper[] {
    return this.#keks.map(({ key }) => key);
  }

  make(): KeyWrapper {
    const id = newTokenKeyId(this.#random);
    const name = id.toString('hex');
    this.#write([...this.#keks.map((kek) => kek.id), name]);
    makeTokenKek(this.#token, id);
    const made = this.#open(name);
    this.#keks = [...this.#keks, made];
    return made.key;
  }

  keepOnly(key: KeyWrapper): void {
    const kept = this.#keks.filter((kek) => kek.key === key);
    if (kept.length === 0) throw new Error('the key that is to be kept is not in the token');
    for (const { id, key: other } of this.#keks) {
      if (other !== key) destroyTokenKek(this.#token, Buffer.from(id, 'hex'));
    }
    this.#keks = kept;
    this.#write(kept.map(({ id }) => id));
  }

  #open(id: string): NamedKek {
    const wrapper = { id: Buffer.from(id, 'hex'), random: this.#random };
    return { id, key: tokenWrapper(this.#token, wrapper) };
  }

  #write(keks: string[]): void {
    const file = { ...this.#file, keks };
    this.#save(file);
    this.#file = file;
  }
}

function noKekFault(label: string): Fault {
  return new Fault({
    code: 'E_CRYPTO_TOKEN_KEY',
    what: `The token "${label}" has no key-encryption key of this data folder.`,
    fix: 'Use the token with which this data folder was made, or a backup of it.',
  });
}
