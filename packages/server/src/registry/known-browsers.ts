/** Browsers in which a person has signed in: others' wrong passwords do not slow them down. @module */
import { type RandomBytes, Secret } from '../kernel/index.ts';
import { credentialHash } from './credential-hash.ts';
import { KNOWN_BROWSERS_MAX } from './limits.ts';
import type { Person } from './people-records.ts';
import type { PersonStore } from './person-store.ts';

const COOKIE_BYTES = 32;

/**
 * Knows browsers by a random cookie, of which the hash is kept (OWASP's "device cookies"). It is
 * no credential: it only gives its browser an account of failures of its own.
 */
export class KnownBrowsers {
  readonly #people: PersonStore;
  readonly #random: RandomBytes;

  constructor(people: PersonStore, { random }: { random: RandomBytes }) {
    this.#people = people;
    this.#random = random;
  }

  /** Whether a person has signed in with the browser that has this cookie. */
  isKnown(name: string, cookie: string): boolean {
    return this.#people.byName(name)?.knownBrowsers.includes(credentialHash(cookie)) === true;
  }

  /** Remembers a browser of a person; gives the cookie for it. */
  add({ name }: Person): Secret<string> | undefined {
    const person = this.#people.byName(name);
    if (person === undefined) return undefined;
    const cookie = Buffer.from(this.#random(COOKIE_BYTES)).toString('base64url');
    const knownBrowsers = [...person.knownBrowsers, credentialHash(cookie)];
    this.#people.write({ ...person, knownBrowsers: knownBrowsers.slice(-KNOWN_BROWSERS_MAX) });
    return new Secret(cookie);
  }
}
