/** What people prove to be themselves with: passwords, authenticator apps, passkeys, recovery codes. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { Clock, RandomBytes, Secret } from '../kernel/index.ts';
import {
  PASSKEYS_OF_PERSON_MAX,
  RECOVERY_CODES,
  TOTP_OFFERS_MAX,
  TOTP_OFFER_LIFE_MS,
} from './limits.ts';
import { newOneTimeCode, oneTimeCodeHash } from './one-time-code.ts';
import type { PasswordHasher } from './password-hasher.ts';
import {
  type Passkey,
  type Person,
  canSignIn,
  hasSecondFactor,
  isSameSignIn,
} from './people-records.ts';
import type { PersonStore } from './person-store.ts';
import { TOTP_SECRET_BYTES, matchingStep } from './totp.ts';

const USER_HANDLE_BYTES = 32;
const SIX_DIGITS = /^\d{6}$/;

/** Puts an act on the audit log; when it rejects, nothing is given. */
export type RecordGift = () => Promise<void>;

/** The second factors of the people in a store. */
export class Factors {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #people: PersonStore;
  readonly #hasher: PasswordHasher;
  /** Secrets that no code was shown of yet, by person. */
  readonly #offers = new Map<string, { readonly secret: Uint8Array; readonly endsAtMs: number }>();

  constructor(
    people: PersonStore,
    deps: { clock: Clock; random: RandomBytes; hasher: PasswordHasher },
  ) {
    this.#people = people;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#hasher = deps.hasher;
  }

  /** Gives a person a new password. Refuses `E_OPERATE_RATE` when too many are being hashed. */
  async setPassword(
    { name }: Person,
    password: string,
    record: RecordGift,
  ): Promise<Person | Refusal> {
    const hash = await this.#hasher.hash(password);
    if (hash instanceof Refusal) return hash;
    await record();
    return this.#change(name, (person) =>
      withoutOlder({ ...person, password: hash, knownBrowsers: [] }),
    );
  }

  /** A new secret for an authenticator app. It counts once a code of it was shown. */
  offerTotp({ name }: Person): Uint8Array {
    const secret = this.#random(TOTP_SECRET_BYTES);
    this.#offers.delete(name);
    const [oldest] = this.#offers.keys();
    if (oldest !== undefined && this.#offers.size >= TOTP_OFFERS_MAX) this.#offers.delete(oldest);
    this.#offers.set(name, { secret, endsAtMs: this.#clock.nowMs() + TOTP_OFFER_LIFE_MS });
    return secret;
  }

  /** Takes the offered secret into use, when the code is one of it. Refuses `E_OPERATE_SIGN_IN`. */
  async confirmTotp({ name }: Person, code: string, record: RecordGift): Promise<Person | Refusal> {
    const offer = this.#offers.get(name);
    const nowMs = this.#clock.nowMs();
    if (offer === undefined || nowMs >= offer.endsAtMs) {
      return refuse('E_OPERATE_CONFLICT', 'There is no secret to confirm: ask for a new one.');
    }
    const step = matchingStep(offer.secret, code, { nowMs, lastStep: -1 });
    if (step === undefined) return wrongCode(name);
    await record();
    if (this.#offers.get(name) !== offer) return wrongCode(name);
    this.#offers.delete(name);
    const secret = Buffer.from(offer.secret).toString('base64');
    const totp = { secret, lastStep: step, createdAtMs: nowMs };
    return this.#change(name, (person) => ({ ...person, totp }));
  }

  /**
   * Checks six digits of the authenticator app, or a recovery code, each of which counts once.
   * @returns which of them it was, or `E_OPERATE_SIGN_IN`.
   */
  useCode({ name }: Person, code: string): 'totp' | 'recovery-code' | Refusal {
    const person = this.#people.byName(name);
    if (person === undefined) return wrongCode(name);
    const typed = code.replaceAll(/\s/g, '');
    return SIX_DIGITS.test(typed) ? this.#useTotp(person, typed) : this.#useRecovery(person, code);
  }

  /** New recovery codes, shown this once; earlier ones are void. */
  renewRecoveryCodes({ name }: Person): readonly Secret<string>[] | Refusal {
    const codes = Array.from({ length: RECOVERY_CODES }, () => newOneTimeCode(this.#random));
    const recoveryCodes = codes.map((code) => oneTimeCodeHash(code.expose()));
    const changed = this.#change(name, (person) => withoutOlder({ ...person, recoveryCodes }));
    return changed instanceof Refusal ? changed : codes;
  }

  /** The person, with a handle by which an authenticator knows them. */
  withUserHandle(person: Person): Person {
    if (person.userHandle !== undefined) return person;
    const userHandle = Buffer.from(this.#random(USER_HANDLE_BYTES)).toString('base64url');
    return this.#people.write({ ...person, userHandle });
  }

  /** Refuses `E_OPERATE_CONFLICT` when a passkey is known already, or the person has too many. */
  conflictOfPasskey({ passkeys }: Person, { id }: Passkey): Refusal | undefined {
    if (this.#people.byPasskey(id) !== undefined) {
      return refuse('E_OPERATE_CONFLICT', 'This passkey is known already.');
    }
    if (passkeys.length < PASSKEYS_OF_PERSON_MAX) return undefined;
    return refuse('E_OPERATE_CONFLICT', `${PASSKEYS_OF_PERSON_MAX} passkeys are the limit.`);
  }

  /** Gives a person a passkey. */
  addPasskey({ name }: Person, passkey: Passkey): Person | Refusal {
    return this.#change(name, (person) => {
      const conflict = this.conflictOfPasskey(person, passkey);
      return conflict ?? { ...person, passkeys: [...person.passkeys, passkey] };
    });
  }

  /**
   * Keeps a passkey as it is after a use: its counter shows a copy of it. Refuses `E_OPERATE_SIGN_IN`
   * when what the person signs in with has changed since `before`.
   */
  keepUse(before: Person, used: Passkey): Person | Refusal {
    return this.#change(before.name, (person) => {
      if (!isSameSignIn(before, person)) return wrongPasskey(person.name);
      const passkeys = person.passkeys.map((passkey) => (passkey.id === used.id ? used : passkey));
      return { ...person, passkeys };
    });
  }

  /** Takes a passkey away. Refuses `E_OPERATE_CONFLICT` when the person could not sign in then. */
  removePasskey({ name }: Person, { id }: Passkey): Person | Refusal {
    return this.#change(name, (person) =>
      stillSafe({
        ...withoutOlder(person),
        passkeys: person.passkeys.filter((passkey) => passkey.id !== id),
      }),
    );
  }

  /** Takes the authenticator app away, with the same refusal. */
  removeTotp({ name }: Person): Person | Refusal {
    return this.#change(name, ({ totp: _totp, ...person }) => stillSafe(withoutOlder(person)));
  }

  #useTotp(person: Person, code: string): 'totp' | Refusal {
    const { name, totp } = person;
    if (totp === undefined) return wrongCode(name);
    const secret = Buffer.from(totp.secret, 'base64');
    const { lastStep } = totp;
    const step = matchingStep(secret, code, { nowMs: this.#clock.nowMs(), lastStep });
    if (step === undefined) return wrongCode(name);
    this.#people.write({ ...person, totp: { ...totp, lastStep: step } });
    return 'totp';
  }

  #useRecovery(person: Person, code: string): 'recovery-code' | Refusal {
    const hash = oneTimeCodeHash(code);
    const recoveryCodes = person.recoveryCodes.filter((kept) => kept !== hash);
    if (recoveryCodes.length === person.recoveryCodes.length) return wrongCode(person.name);
    this.#people.write({ ...person, recoveryCodes });
    return 'recovery-code';
  }

  /** Changes a person as they are now: they may have been removed while something was recorded. */
  #change(name: string, change: (person: Person) => Person | Refusal): Person | Refusal {
    const person = this.#people.byName(name);
    if (person === undefined) return refuse('E_OPERATE_CONFLICT', `${name} was removed.`);
    const changed = change(person);
    return changed instanceof Refusal ? changed : this.#people.write(changed);
  }
}

function stillSafe(person: Person): Person | Refusal {
  if (canSignIn(person) && (hasSecondFactor(person) || person.oidc !== undefined)) return person;
  return refuse('E_OPERATE_CONFLICT', 'Nothing else would be left to sign in with: add it first.');
}

/** The person, for whom no sign-in counts that was begun before. */
function withoutOlder(person: Person): Person {
  return { ...person, factorEpoch: person.factorEpoch + 1 };
}

function wrongPasskey(name: string): Refusal {
  return refuse('E_OPERATE_SIGN_IN', `what ${name} signs in with has changed meanwhile`);
}

function wrongCode(name: string): Refusal {
  return refuse('E_OPERATE_SIGN_IN', `the code of ${name} is wrong or was used before`);
}
