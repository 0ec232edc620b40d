/** The records of people: in memory, written through. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { hashesAreEqual } from './credential-hash.ts';
import { PEOPLE_MAX } from './limits.ts';
import { type Person, PersonSchema, canSignIn } from './people-records.ts';

/** Who there is. Reads are look-ups in memory; writes are durable on return. */
export class PersonStore {
  readonly #records: Collection<Person>;
  readonly #people = new Map<string, Person>();

  constructor(store: SealedStore) {
    this.#records = store.collection('operator', PersonSchema);
    for (const person of this.#records.all()) this.#people.set(person.name, person);
  }

  get size(): number {
    return this.#people.size;
  }

  /** Everybody, in the order of their names. */
  all(): Person[] {
    return [...this.#people.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  byName(name: string): Person | undefined {
    return this.#people.get(name);
  }

  byPasskey(id: string): Person | undefined {
    return this.#find(({ passkeys }) => passkeys.some((passkey) => passkey.id === id));
  }

  byInvitation(hash: string): Person | undefined {
    return this.#find(
      ({ invitation }) => invitation !== undefined && hashesAreEqual(invitation.hash, hash),
    );
  }

  byOidc(issuer: string, subject: string): Person | undefined {
    return this.#find(({ oidc }) => oidc?.issuer === issuer && oidc.subject === subject);
  }

  /** Refuses `E_OPERATE_CONFLICT` when a name is taken, be it in another case, or there are too many. */
  conflictOf(name: string): Refusal | undefined {
    const alike = this.#find((person) => person.name.toLowerCase() === name.toLowerCase());
    if (alike !== undefined) return refuse('E_OPERATE_CONFLICT', `${alike.name} exists.`);
    if (this.#people.size < PEOPLE_MAX) return undefined;
    return refuse('E_OPERATE_CONFLICT', `There are ${PEOPLE_MAX} people; remove one first.`);
  }

  /** Keeps a person as they are now. */
  write(person: Person): Person {
    this.#records.write(person.name, person);
    this.#people.set(person.name, person);
    return person;
  }

  remove({ name }: Person): void {
    this.#records.remove(name);
    this.#people.delete(name);
  }

  /** Whether nobody else could administer this server, if this person could not. */
  isLastAdministrator({ name, role, isDisabled }: Person): boolean {
    if (role !== 'administrator' || isDisabled) return false;
    return !this.#find(
      (other) =>
        other.name !== name &&
        other.role === 'administrator' &&
        !other.isDisabled &&
        // The first operator may have a password only: it still lets them set up the rest.
        (canSignIn(other) || other.password !== undefined),
    );
  }

  #find(matches: (person: Person) => boolean): Person | undefined {
    return this.#people.values().find(matches);
  }
}
