/** The HTTP API: people, how they sign in, and their sessions. Part of `api.ts`. @module */
import { z } from 'zod';
import { PASSWORD_LENGTH, line, name, text, time } from './api-fields.ts';

/** The roles of people, the one with the fewest rights first. */
export const PERSON_ROLES = [
  'viewer',
  'operator',
  'installer',
  'auditor',
  'security-officer',
  'administrator',
] as const;
/** Longest code that a person types: an invitation or a recovery code with any grouping. */
const CODE_CHARACTERS_MAX = 64;

const role = z.enum(PERSON_ROLES);
const typedCode = z.string().min(1).max(CODE_CHARACTERS_MAX);
const bytes = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url');

// Passkeys: the JSON forms of WebAuthn Level 3, §5.1. Browsers may add members; they are dropped.

/** What a browser gives of a new passkey: `PublicKeyCredential.toJSON()` after `create()`. */
export const NewPasskeySchema = z
  .object({
    id: bytes(1_400),
    rawId: bytes(1_400),
    type: z.literal('public-key'),
    authenticatorAttachment: z.enum(['platform', 'cross-platform']).nullish(),
    response: z.object({
      clientDataJSON: bytes(4_096),
      attestationObject: bytes(16_384),
      transports: z.array(z.string().max(32)).max(8).optional(),
    }),
  })
  .meta({ id: 'NewPasskey' });
export type NewPasskey = Readonly<z.infer<typeof NewPasskeySchema>>;

/** What a browser gives of a passkey that is used: `PublicKeyCredential.toJSON()` after `get()`. */
export const UsedPasskeySchema = z
  .object({
    id: bytes(1_400),
    rawId: bytes(1_400),
    type: z.literal('public-key'),
    authenticatorAttachment: z.enum(['platform', 'cross-platform']).nullish(),
    response: z.object({
      clientDataJSON: bytes(4_096),
      authenticatorData: bytes(4_096),
      signature: bytes(8_192),
      userHandle: bytes(128).nullish(),
    }),
  })
  .meta({ id: 'UsedPasskey' });
export type UsedPasskey = Readonly<z.infer<typeof UsedPasskeySchema>>;

/**
 * What a browser is to ask of an authenticator: `parseCreationOptionsFromJSON` or
 * `parseRequestOptionsFromJSON` reads it. Good for five minutes, and once.
 */
export const PasskeyOptionsSchema = z
  .looseObject({ challenge: text(256) })
  .meta({ id: 'PasskeyOptions' });
export type PasskeyOptions = Readonly<z.infer<typeof PasskeyOptionsSchema>>;

/** `POST /v1/sign-in/passkey`. */
export const PasskeySignInRequestSchema = z
  .strictObject({ credential: UsedPasskeySchema })
  .meta({ id: 'PasskeySignInRequest' });

/** `POST /v1/me/passkeys`. */
export const AddPasskeyRequestSchema = z
  .strictObject({
    /** What the person calls it, to recognize it in the list. */
    name: line(64),
    credential: NewPasskeySchema,
  })
  .meta({ id: 'AddPasskeyRequest' });

// Signing in

/** The answer to a right password where a second factor is still to be shown. */
export const PendingSignInSchema = z
  .object({
    /** Shown with the code in `POST /v1/sign-in/code`; good for five minutes and a few tries. */
    pending: text(64),
    methods: z.array(z.enum(['totp', 'recovery-code'])),
    expiresAt: time,
  })
  .meta({ id: 'PendingSignIn' });
export type PendingSignIn = Readonly<z.infer<typeof PendingSignInSchema>>;

/** `POST /v1/sign-in/code`: the second step after the password. */
export const CompleteSignInRequestSchema = z
  .strictObject({
    pending: z.string().min(1).max(64),
    /** Six digits of the authenticator app, or a recovery code. */
    code: typedCode,
  })
  .meta({ id: 'CompleteSignInRequest' });
export type CompleteSignInRequest = Readonly<z.infer<typeof CompleteSignInRequestSchema>>;

/** `POST /v1/sign-in/invitation`. */
export const RedeemInvitationRequestSchema = z
  .strictObject({
    /** As it was given: `XXXX-XXXX-XXXX-XXXX`; case and hyphens do not matter. */
    code: typedCode,
  })
  .meta({ id: 'RedeemInvitationRequest' });

/** `POST /v1/step-up`: one of the two. */
export const StepUpRequestSchema = z
  .union([z.strictObject({ code: typedCode }), z.strictObject({ credential: UsedPasskeySchema })])
  .meta({ id: 'StepUpRequest' });
export type StepUpRequest = Readonly<z.infer<typeof StepUpRequestSchema>>;

// What a person proves to be themselves with

/** A passkey as it is listed. */
export const PasskeyViewSchema = z
  .object({
    /** Names it in `DELETE /v1/me/passkeys/{id}`. */
    id: text(64),
    name: text(64),
    createdAt: time,
    lastUsedAt: time.optional(),
    /** Whether its maker keeps a copy of it, so that it outlives the device. */
    isSynced: z.boolean(),
  })
  .meta({ id: 'Passkey' });
export type PasskeyView = Readonly<z.infer<typeof PasskeyViewSchema>>;

/** `GET /v1/me/factors`. */
export const FactorsSchema = z
  .object({
    hasPassword: z.boolean(),
    hasTotp: z.boolean(),
    passkeys: z.array(PasskeyViewSchema),
    recoveryCodesLeft: z.int().min(0),
  })
  .meta({ id: 'Factors' });
export type Factors = Readonly<z.infer<typeof FactorsSchema>>;

/** `POST /v1/me/password`. */
export const SetPasswordRequestSchema = z
  .strictObject({ password: z.string().min(PASSWORD_LENGTH.min).max(PASSWORD_LENGTH.max) })
  .meta({ id: 'SetPasswordRequest' });

/** `POST /v1/me/totp`: what an authenticator app takes. It counts once a code of it was shown. */
export const TotpOfferSchema = z
  .object({
    /** Base32, for typing. */
    secret: text(64),
    /** `otpauth://totp/…`, for a link or a QR code. */
    uri: text(512),
    /** The same as a QR code: SVG. */
    qr: text(65_536),
  })
  .meta({ id: 'TotpOffer' });
export type TotpOffer = Readonly<z.infer<typeof TotpOfferSchema>>;

/** `POST /v1/me/totp/confirm`. */
export const ConfirmTotpRequestSchema = z
  .strictObject({ code: z.string().regex(/^\d{6}$/, 'must be six digits') })
  .meta({ id: 'ConfirmTotpRequest' });

/** Recovery codes, shown this once. Empty where the person has some already. */
export const RecoveryCodesSchema = z
  .object({ recoveryCodes: z.array(text(64)) })
  .meta({ id: 'RecoveryCodes' });
export type RecoveryCodes = Readonly<z.infer<typeof RecoveryCodesSchema>>;

/** Path of `DELETE /v1/me/passkeys/{id}`. */
export const PasskeyPathSchema = z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/) });

// Sessions

/** Somebody who is signed in. */
export const SessionViewSchema = z
  .object({
    /** Names it, and is no secret. */
    id: text(64),
    principal: text(128),
    /** With what the person signed in. */
    by: z.enum([
      'first-code',
      'invitation',
      'oidc',
      'passkey',
      'password',
      'recovery-code',
      'totp',
    ]),
    /** IP address at sign-in. */
    address: text(64),
    startedAt: time,
    lastUsedAt: time,
    expiresAt: time,
    /** Whether it is the one that asks. */
    isCurrent: z.boolean(),
  })
  .meta({ id: 'Session' });
export type SessionView = Readonly<z.infer<typeof SessionViewSchema>>;

/** `GET /v1/sessions` and `GET /v1/me/sessions`, the oldest first. */
export const SessionListSchema = z
  .object({ sessions: z.array(SessionViewSchema) })
  .meta({ id: 'SessionList' });

/** Path of `DELETE /v1/sessions/{id}` and `DELETE /v1/me/sessions/{id}`. */
export const SessionPathSchema = z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/) });

// People

/** A person as administrators see them. */
export const PersonViewSchema = z
  .object({
    name: text(64),
    role,
    /** `invited` until they have set up how they sign in. */
    state: z.enum(['invited', 'active', 'disabled']),
    /** What they can sign in with. */
    factors: z.array(z.enum(['password', 'totp', 'passkey', 'oidc'])),
    createdAt: time,
    /** When an invitation that is not redeemed yet expires. */
    invitedUntil: time.optional(),
  })
  .meta({ id: 'Person' });
export type PersonView = Readonly<z.infer<typeof PersonViewSchema>>;

/** `GET /v1/people`, in the order of the names. */
export const PersonListSchema = z
  .object({ people: z.array(PersonViewSchema) })
  .meta({ id: 'PersonList' });

/** Path of everything below `/v1/people/{id}`: the name of the person. */
export const PersonPathSchema = z.strictObject({ id: name });

/** `POST /v1/people`. */
export const InvitePersonRequestSchema = z
  .strictObject({ name, role })
  .meta({ id: 'InvitePersonRequest' });
export type InvitePersonRequest = Readonly<z.infer<typeof InvitePersonRequestSchema>>;

/** `POST /v1/people/{id}/role`. */
export const ChangeRoleRequestSchema = z.strictObject({ role }).meta({ id: 'ChangeRoleRequest' });
/** Name of a role of people. */
export type PersonRole = (typeof PERSON_ROLES)[number];

/** The answers that make an invitation: the only time that its code is shown. */
export const InvitationSchema = z
  .object({
    person: PersonViewSchema,
    code: text(64),
    /** The sign-in page with the code behind the `#`, which a browser sends to nobody. */
    link: text(512),
    expiresAt: time,
  })
  .meta({ id: 'Invitation' });
export type Invitation = Readonly<z.infer<typeof InvitationSchema>>;

// Sign-in by an OpenID provider

const oidcRole = role.exclude(['administrator']);
const oidcSettings = {
  /** Its issuer identifier, `https://…`, below which `.well-known/openid-configuration` is. */
  issuer: z
    .url({ protocol: /^https$/ })
    .max(512)
    .refine((url) => !/[?#]/.test(url), { message: 'must have no query and no fragment' }),
  clientId: line(256),
  /** The claim of the ID token that names the person; people are known by `sub` all the same. */
  nameClaim: line(64).default('preferred_username'),
  /** The claim of the ID token that holds the roles: a text or a list of texts. */
  rolesClaim: line(64),
  /** Which value of that claim gives which role. Nobody becomes administrator this way. */
  roles: z.record(z.string().min(1).max(256), oidcRole),
} as const;

/** `POST /v1/oidc`. */
export const OidcSettingsRequestSchema = z
  .strictObject({
    ...oidcSettings,
    clientSecret: z.string().min(1).max(1_024),
    /** Trust anchors of the provider in PEM, where it has a CA of its own. */
    anchorsPem: z.string().max(32_768).optional(),
  })
  .meta({ id: 'OidcSettingsRequest' });
export type OidcSettingsRequest = Readonly<z.input<typeof OidcSettingsRequestSchema>>;

/** `GET /v1/oidc`: never the secret. */
export const OidcSettingsSchema = z
  .object({
    issuer: text(512),
    clientId: text(256),
    nameClaim: text(64),
    rolesClaim: text(64),
    roles: z.record(text(256), role),
    /** What to enter at the provider. */
    redirectUri: text(512),
  })
  .meta({ id: 'OidcSettings' });
export type OidcSettings = Readonly<z.infer<typeof OidcSettingsSchema>>;

/** `GET /v1/sign-in/methods`: what the sign-in page offers. */
export const SignInMethodsSchema = z
  .object({
    /** The host name that passkeys are bound to; absent where the server has none. */
    passkeyHost: text(256).optional(),
    /** The address under which this page has to be open for passkeys. */
    origin: text(512),
    hasOidc: z.boolean(),
    /** Whether the browser that asks has a live session. */
    isSignedIn: z.boolean(),
  })
  .meta({ id: 'SignInMethods' });
export type SignInMethods = Readonly<z.infer<typeof SignInMethodsSchema>>;
