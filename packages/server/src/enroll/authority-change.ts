/** What a change of the authority needs, and what it gives. @module */
import type { Refusal } from '@holdfast/protocol';
import type { ByRole } from '../pki/index.ts';

/** A change of the authority that was found possible, and is done by {@link commit}. */
export interface AuthorityChange {
  /** The generation that it is about. */
  readonly generation: number;
  /** Does it. Refuses `E_OPERATE_CONFLICT` when the authority has changed since. */
  commit(): Refusal | undefined;
}

/** What an offline root is asked to sign. */
export interface GenerationRequest {
  readonly generation: number;
  /** PKCS#10 in PEM. */
  readonly requests: ByRole<string>;
}

/** The root's key on its way out. */
export interface RootExport {
  /** The key under the passphrase, and the certificate, in PEM. */
  readonly rootPem: string;
  /** To be signed with the exported key, before the server forgets it. */
  readonly challenge: string;
}
