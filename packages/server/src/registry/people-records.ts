/** The records of people and of their API tokens, as they are kept. @module */
import { z } from 'zod';
import { type TokenScope, TokenScopeSchema } from './token-scope.ts';

/** The roles that exist. What each may do stands in `policy/default.cedar`. */
export const ROLE_NAMES = [
  'viewer',
  'operator',
  'installer',
  'security-officer',
  'administrator',
  'auditor',
] as const;
/** Name of a role. */
export type RoleName = (typeof ROLE_NAMES)[number];

export const PasswordHashSchema = z.object({
  algorithm: z.literal('argon2id'),
  memoryKiB: z.int(),
  passes: z.int(),
  parallelism: z.int(),
  /** 16 bytes, lower-case hex. */
  salt: z.string(),
  /** 32 bytes, lower-case hex. */
  hash: z.string(),
});
/** A password's hash with the parameters that made it, so that these can be raised later. */
export type PasswordHash = Readonly<z.infer<typeof PasswordHashSchema>>;

export const PasskeySchema = z.object({
  /** Credential id of WebAuthn, base64url. */
  id: z.string(),
  /** COSE key, base64url. */
  publicKey: z.string(),
  /** Signature counter of the authenticator; 0 for ever where it has none. */
  counter: z.int(),
  transports: z.array(z.string()),
  /** Whether its maker keeps a copy of it. */
  isSynced: z.boolean(),
  /** What the person calls it. */
  name: z.string(),
  createdAtMs: z.int(),
  lastUsedAtMs: z.int().optional(),
});
/** A passkey of a person: its public half. */
export type Passkey = Readonly<z.infer<typeof PasskeySchema>>;

/** The authenticator app of a person. RFC 6238 */
export const TotpSchema = z.object({
  /** 20 bytes, base64. Secret: kept in the sealed store only. */
  secret: z.base64(),
  /** The last time step of which a code was accepted; no code of it or before is accepted again. */
  lastStep: z.int(),
  createdAtMs: z.int(),
});

export const PersonSchema = z.object({
  name: z.string(),
  role: z.enum(ROLE_NAMES),
  password: PasswordHashSchema.optional(),
  createdAtMs: z.int(),
  totp: TotpSchema.optional(),
  passkeys: z.array(PasskeySchema).default([]),
  /** By what an authenticator knows the person: 32 random bytes, base64url. */
  userHandle: z.string().optional(),
  /** Hashes of the recovery codes that are left; see `credentialHash`. */
  recoveryCodes: z.array(z.string()).default([]),
  /** Hashes of the cookies of browsers in which this person has signed in, the newest last. */
  knownBrowsers: z.array(z.string()).default([]),
  /** A one-time code that is not redeemed yet. */
  invitation: z.object({ hash: z.string(), expiresAtMs: z.int() }).optional(),
  /** Who this is at an OpenID provider. */
  oidc: z.object({ issuer: z.string(), subject: z.string() }).optional(),
  isDisabled: z.boolean().default(false),
  /** Grows whenever something that the person signs in with is taken away or replaced. */
  factorEpoch: z.int().default(0),
});
/** A person who runs this server. */
export type Person = Readonly<z.infer<typeof PersonSchema>>;

/** Whether what somebody has shown of a person before still counts for this one. */
export function isSameSignIn(before: Person, now: Person): boolean {
  return now.factorEpoch === before.factorEpoch && now.createdAtMs === before.createdAtMs;
}

/** Whether a person has something to show besides the password. */
export function hasSecondFactor({ totp, passkeys }: Person): boolean {
  return totp !== undefined || passkeys.length > 0;
}

/** Whether a person can sign in completely, without anybody's help. */
export function canSignIn(person: Person): boolean {
  const { password, totp, passkeys, oidc } = person;
  return (
    passkeys.length > 0 || (password !== undefined && totp !== undefined) || oidc !== undefined
  );
}

export const ApiTokenSchema = z.object({
  /** 16 hexadecimal digits; names the token in lists, and is no secret. */
  id: z.string(),
  /** SHA-256 of the token, lower-case hex. The token itself is never kept. */
  hash: z.string(),
  label: z.string(),
  /** The person for whom it acts. */
  principal: z.string(),
  createdAtMs: z.int(),
  expiresAtMs: z.int(),
  /** Undefined: it is good for all that the person may do. */
  scope: TokenScopeSchema.optional(),
});
/** An API token of a person. */
export type ApiToken = Readonly<z.infer<typeof ApiTokenSchema>>;

/** Who makes a request, and with which credential. */
export interface Caller {
  /** `person:<name>`, or `local` for whoever can read the data folder. */
  readonly principal: string;
  readonly role: RoleName;
  readonly credential: 'session' | 'token' | 'local';
  /** SHA-256 of the credential, lower-case hex: names it, and gives nothing away. */
  readonly credentialHash: string;
  /** When it ends at the latest; undefined when it ends with the server. */
  readonly expiresAtMs?: number | undefined;
  /** When a second factor was last proven in this session; milliseconds since 1970. */
  readonly steppedUpAtMs?: number | undefined;
  /** True while the session is good for nothing but setting up a second factor. */
  readonly needsSecondFactor?: true | undefined;
  /** What its token is good for; undefined: all that the person may do. */
  readonly scope?: TokenScope | undefined;
}

/** The principal of a person, as acts and refusals name it. */
export function personPrincipal(personName: string): string {
  return `person:${personName}`;
}
