/** People who sign in at an OpenID provider: its settings, and who is who. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { z } from 'zod';
import type { Clock } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { type Person, ROLE_NAMES, type RoleName } from './people-records.ts';
import type { PersonStore } from './person-store.ts';

export const OidcProviderSchema = z.object({
  issuer: z.string(),
  clientId: z.string(),
  /** Secret: kept in the sealed store only. */
  clientSecret: z.string(),
  /** Trust anchors in PEM; those of the system where there are none. */
  anchorsPem: z.string().optional(),
  nameClaim: z.string(),
  rolesClaim: z.string(),
  /** Which value of that claim gives which role. */
  roles: z.record(z.string(), z.enum(ROLE_NAMES).exclude(['administrator'])),
});
/** An OpenID provider, and what its claims mean here. */
export type OidcProvider = Readonly<z.infer<typeof OidcProviderSchema>>;

/** What a provider says of a person whom it has signed in. */
export interface OidcIdentity {
  readonly issuer: string;
  /** The `sub` claim: the one thing at a provider that never goes to somebody else. */
  readonly subject: string;
  /** What the person is to be called here. */
  readonly name: string;
  readonly role: RoleName;
}

const ONLY = 'only';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The one provider, and the people who come from it. */
export class OidcPeople {
  readonly #clock: Clock;
  readonly #people: PersonStore;
  readonly #settings: Collection<OidcProvider>;
  #provider: OidcProvider | undefined;

  constructor(store: SealedStore, people: PersonStore, { clock }: { clock: Clock }) {
    this.#clock = clock;
    this.#people = people;
    this.#settings = store.collection('oidc-provider', OidcProviderSchema);
    this.#provider = this.#settings.read(ONLY);
  }

  get provider(): OidcProvider | undefined {
    return this.#provider;
  }

  setProvider(provider: OidcProvider): void {
    this.#settings.write(ONLY, provider);
    this.#provider = provider;
  }

  /** Nobody signs in there any more; who came from there stays known. */
  removeProvider(): void {
    this.#settings.remove(ONLY);
    this.#provider = undefined;
  }

  /**
   * Refuses `E_OPERATE_SIGN_IN` for somebody who is not to come in: disabled here, or with a name
   * that is none, or is that of a person who does not come from this provider.
   */
  refusalOf({ issuer, subject, name }: OidcIdentity): Refusal | undefined {
    const known = this.#people.byOidc(issuer, subject);
    if (known !== undefined) {
      return known.isDisabled ? wrong(`${known.name} is disabled`) : undefined;
    }
    if (!NAME.test(name)) return wrong('the provider gives a name that cannot be one here');
    const conflict = this.#people.conflictOf(name);
    return conflict && wrong(`${conflict.detail} A provider cannot take over a person.`);
  }

  /** What an identity is called here: the provider may have given it another name since. */
  nameOf({ issuer, subject, name }: OidcIdentity): string {
    return this.#people.byOidc(issuer, subject)?.name ?? name;
  }

  /**
   * The person of an identity, with the role that the provider gives now; made at the first time.
   * An administrator whom somebody here has made one stays one.
   */
  personOf(identity: OidcIdentity): Person | Refusal {
    const refusal = this.refusalOf(identity);
    if (refusal !== undefined) return refusal;
    const { issuer, subject, name, role } = identity;
    const known = this.#people.byOidc(issuer, subject);
    if (known !== undefined) {
      const kept = known.role === 'administrator' || known.role === role;
      return kept ? known : this.#people.write({ ...known, role });
    }
    return this.#people.write({
      name,
      role,
      createdAtMs: this.#clock.nowMs(),
      passkeys: [],
      recoveryCodes: [],
      knownBrowsers: [],
      isDisabled: false,
      factorEpoch: 0,
      oidc: { issuer, subject },
    });
  }
}

function wrong(detail: string): Refusal {
  return refuse('E_OPERATE_SIGN_IN', detail);
}
