/** Who belongs here: inviting people, changing what they are, and letting them go. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { Clock, RandomBytes, Secret } from '../kernel/index.ts';
import { INVITATION_LIFE_MS } from './limits.ts';
import { newOneTimeCode, oneTimeCodeHash } from './one-time-code.ts';
import type { Person, RoleName } from './people-records.ts';
import type { PersonStore } from './person-store.ts';

/** A person with a code that lets them set up how they sign in, shown this once. */
export interface Invited {
  readonly person: Person;
  readonly code: Secret<string>;
  readonly expiresAtMs: number;
}

/** Changes who there is. What they could sign in with ends with the change: see `People`. */
export class Membership {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #people: PersonStore;

  constructor(people: PersonStore, { clock, random }: { clock: Clock; random: RandomBytes }) {
    this.#people = people;
    this.#clock = clock;
    this.#random = random;
  }

  /** Makes a person with nothing to sign in with but the code. Refuses `E_OPERATE_CONFLICT`. */
  invite({ name, role }: { name: string; role: RoleName }): Invited | Refusal {
    const conflict = this.#people.conflictOf(name);
    if (conflict !== undefined) return conflict;
    return this.#withCode(blank({ name, role, createdAtMs: this.#clock.nowMs() }));
  }

  /** Who has this code; `E_OPERATE_SIGN_IN` when it is wrong, void or expired. */
  invited(code: string): Person | Refusal {
    const person = this.#people.byInvitation(oneTimeCodeHash(code));
    const expiresAtMs = person?.invitation?.expiresAtMs ?? 0;
    if (person !== undefined && !person.isDisabled && this.#clock.nowMs() < expiresAtMs) {
      return person;
    }
    return refuse('E_OPERATE_SIGN_IN', 'the invitation is wrong, was used before or has expired');
  }

  /** Voids the code of an invitation, and gives whose it was; refuses as {@link invited}. */
  redeem(code: string): Person | Refusal {
    const person = this.invited(code);
    if (person instanceof Refusal) return person;
    const { invitation: _invitation, ...rest } = person;
    return this.#people.write(rest);
  }

  /** Refuses `E_OPERATE_CONFLICT` for the last administrator. */
  setRole({ name }: Person, role: RoleName): Person | Refusal {
    return this.#change(name, (person) => {
      const isDemoted = role !== 'administrator' && this.#people.isLastAdministrator(person);
      return isDemoted ? lastAdministrator(name) : { ...person, role };
    });
  }

  /** Refuses `E_OPERATE_CONFLICT` for the last administrator. */
  disable({ name }: Person): Person | Refusal {
    return this.#change(name, (person) =>
      this.#people.isLastAdministrator(person)
        ? lastAdministrator(name)
        : { ...person, isDisabled: true },
    );
  }

  enable({ name }: Person): Person | Refusal {
    return this.#change(name, (person) => ({ ...person, isDisabled: false }));
  }

  /** Refuses `E_OPERATE_CONFLICT` for the last administrator. */
  remove(person: Person): Person | Refusal {
    if (this.#people.isLastAdministrator(person)) return lastAdministrator(person.name);
    this.#people.remove(person);
    return person;
  }

  /** Takes everything away that a person could sign in with. */
  clearFactors({ name }: Person): Person | Refusal {
    return this.#change(name, blank);
  }

  /** Gives a person a new code to set up how they sign in. */
  inviteAgain({ name }: Person): Invited | Refusal {
    const person = this.#people.byName(name);
    return person === undefined ? gone(name) : this.#withCode(person);
  }

  #withCode(person: Person): Invited {
    const code = newOneTimeCode(this.#random);
    const expiresAtMs = this.#clock.nowMs() + INVITATION_LIFE_MS;
    const invitation = { hash: oneTimeCodeHash(code.expose()), expiresAtMs };
    return { person: this.#people.write({ ...person, invitation }), code, expiresAtMs };
  }

  #change(name: string, change: (person: Person) => Person | Refusal): Person | Refusal {
    const person = this.#people.byName(name);
    if (person === undefined) return gone(name);
    const changed = change(person);
    return changed instanceof Refusal ? changed : this.#people.write(changed);
  }
}

/** A person as they are, with nothing to sign in with. */
function blank(person: Pick<Person, 'name' | 'role' | 'createdAtMs'> & Partial<Person>): Person {
  const { name, role, createdAtMs, isDisabled = false, factorEpoch = 0 } = person;
  return {
    name,
    role,
    createdAtMs,
    isDisabled,
    passkeys: [],
    recoveryCodes: [],
    knownBrowsers: [],
    factorEpoch: factorEpoch + 1,
  };
}

function gone(name: string): Refusal {
  return refuse('E_OPERATE_NOT_FOUND', `There is no person ${name}.`);
}

function lastAdministrator(name: string): Refusal {
  return refuse('E_OPERATE_CONFLICT', `${name} is the last administrator: make another one first.`);
}
