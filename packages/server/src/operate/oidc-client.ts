/** Signs people in at an OpenID provider: code flow with PKCE, state and nonce. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { PERSON_ROLES, type PersonRole } from '@holdfast/protocol/api';
import type * as OpenId from 'openid-client';
import { z } from 'zod';
import { open, seal } from '../crypto/index.ts';
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import type { OidcIdentity, OidcProvider } from '../registry/index.ts';
import { OIDC_ANSWER_S_MAX, OIDC_SIGN_IN_LIFE_MS } from './limits.ts';
import { providerFetch } from './oidc-fetch.ts';

const AttemptSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  endsAtMs: z.int(),
});

/** A sign-in that has begun. */
export interface OidcAttempt {
  /** Where the browser goes. */
  readonly url: string;
  /** What the browser keeps meanwhile, sealed: so the server keeps nothing for strangers. */
  readonly cookie: string;
}

const CONTEXT = Buffer.from('holdfast/oidc-attempt/v1');
const KEY_BYTES = 32;
const SECRET_BYTES = 32;
const DETAIL_CHARACTERS_MAX = 300;

/** The client of the one provider. */
export class OidcClient {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #key: Secret<Uint8Array>;
  #found: { readonly provider: OidcProvider; readonly config: OpenId.Configuration } | undefined;

  constructor({ clock, random }: { clock: Clock; random: RandomBytes }) {
    this.#clock = clock;
    this.#random = random;
    this.#key = new Secret<Uint8Array>(random(KEY_BYTES));
  }

  /** Begins a sign-in, or refuses with `E_OPERATE_OIDC` when the provider cannot be asked. */
  async begin(provider: OidcProvider, redirectUri: string): Promise<OidcAttempt | Refusal> {
    return this.#asking(async () => {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await library();
      const config = await this.#discover(provider);
      const [state, nonce, verifier] = [this.#secret(), this.#secret(), this.#secret()];
      const url = buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'openid profile',
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      const endsAtMs = this.#clock.nowMs() + OIDC_SIGN_IN_LIFE_MS;
      return { url: url.href, cookie: this.#seal({ state, nonce, verifier, endsAtMs }) };
    });
  }

  /** Who came back from the provider, or `E_OPERATE_OIDC`. `search` is the query that came along. */
  async finish(
    provider: OidcProvider,
    { redirectUri, search, cookie }: { redirectUri: string; search: string; cookie: string },
  ): Promise<OidcIdentity | Refusal> {
    const attempt = this.#open(cookie);
    if (attempt === undefined) return refused('the browser shows no sign-in that has begun here');
    return this.#asking(async () => {
      const { authorizationCodeGrant } = await library();
      const config = await this.#discover(provider);
      const tokens = await authorizationCodeGrant(config, new URL(search, redirectUri), {
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        pkceCodeVerifier: attempt.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      return claims === undefined ? refused('no ID token came') : identityOf(provider, claims);
    });
  }

  async #discover(provider: OidcProvider): Promise<OpenId.Configuration> {
    if (this.#found?.provider === provider) return this.#found.config;
    const { ClientSecretPost, customFetch, discovery, enableNonRepudiationChecks } =
      await library();
    const { issuer, clientId, clientSecret, anchorsPem } = provider;
    const auth = ClientSecretPost(clientSecret);
    const config = await discovery(new URL(issuer), clientId, {}, auth, {
      timeout: OIDC_ANSWER_S_MAX,
      // Without it the library leaves out the signature of what comes straight from the provider.
      execute: [enableNonRepudiationChecks],
      [customFetch]: providerFetch(anchorsPem),
    });
    this.#found = { provider, config };
    return config;
  }

  /** Whatever the library, the network and the provider find wrong is one refusal. */
  async #asking<T>(ask: () => Promise<T | Refusal>): Promise<T | Refusal> {
    try {
      return await ask();
    } catch (error) {
      this.#found = undefined;
      return refused(problemOf(error));
    }
  }

  #secret(): string {
    return Buffer.from(this.#random(SECRET_BYTES)).toString('base64url');
  }

  #seal(attempt: z.infer<typeof AttemptSchema>): string {
    const text = Buffer.from(JSON.stringify(attempt), 'utf8');
    const context = { key: this.#key.expose(), aad: CONTEXT, random: this.#random };
    return seal(text, context).toString('base64url');
  }

  #open(cookie: string): z.infer<typeof AttemptSchema> | undefined {
    try {
      const sealed = Buffer.from(cookie, 'base64url');
      const text = open(sealed, { key: this.#key.expose(), aad: CONTEXT }).toString('utf8');
      const attempt = AttemptSchema.parse(JSON.parse(text));
      return this.#clock.nowMs() < attempt.endsAtMs ? attempt : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Who the claims of an ID token speak of; its signature and times were checked before. */
export function identityOf(
  { issuer, nameClaim, rolesClaim, roles }: OidcProvider,
  claims: Readonly<Record<string, unknown>> & { readonly sub: string },
): OidcIdentity | Refusal {
  const name = claims[nameClaim];
  if (typeof name !== 'string') return refused(`the ID token has no claim ${nameClaim}`);
  const role = roleOf(claims[rolesClaim], roles);
  if (role === undefined) return refused(`no value of the claim ${rolesClaim} gives a role here`);
  return { issuer, subject: claims.sub, name, role };
}

/** Of several roles the last of the list: it has the most rights. */
function roleOf(values: unknown, roles: OidcProvider['roles']): PersonRole | undefined {
  const given: unknown[] = Array.isArray(values) ? values : [values];
  const found = new Set(
    given.map((value) =>
      typeof value === 'string' && Object.hasOwn(roles, value) ? roles[value] : undefined,
    ),
  );
  return PERSON_ROLES.findLast((role) => role !== 'administrator' && found.has(role));
}

/** Loaded when a sign-in needs it: most servers have no provider. */
function library(): Promise<typeof OpenId> {
  return import('openid-client');
}

function problemOf(error: unknown): string {
  const texts: string[] = [];
  for (let at = error; at instanceof Error && texts.length < 3; at = at.cause) {
    // The short code that the standard gives for what went wrong. RFC 6749 §5.2
    const code = 'error' in at && typeof at.error === 'string' ? ` (${at.error})` : '';
    texts.push(at.message + code);
  }
  return texts.join(': ').slice(0, DETAIL_CHARACTERS_MAX);
}

function refused(detail: string): Refusal {
  return refuse('E_OPERATE_OIDC', detail);
}
