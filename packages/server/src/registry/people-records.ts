/** The records of operators and of their API tokens, as they are kept. @module */
import { z } from 'zod';

/** The roles that exist. What each may do is decided where it is asked: in `operate`. */
export const ROLE_NAMES = ['administrator'] as const;
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

export const OperatorSchema = z.object({
  name: z.string(),
  role: z.enum(ROLE_NAMES),
  password: PasswordHashSchema,
  createdAtMs: z.int(),
});
/** A person who runs this server. */
export type Operator = Readonly<z.infer<typeof OperatorSchema>>;

export const ApiTokenSchema = z.object({
  /** 16 hexadecimal digits; names the token in lists, and is no secret. */
  id: z.string(),
  /** SHA-256 of the token, lower-case hex. The token itself is never kept. */
  hash: z.string(),
  label: z.string(),
  /** The operator for whom it acts. */
  principal: z.string(),
  createdAtMs: z.int(),
  expiresAtMs: z.int(),
});
/** An API token of an operator. */
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
}

/** The principal of an operator, as acts and refusals name it. */
export function personPrincipal(operatorName: string): string {
  return `person:${operatorName}`;
}
