/** Who this server is: its authority, its certificate and the key of its log, made at first start. @module */
import { parseTenantName, Refusal } from '@holdfast/protocol';
import { z } from 'zod';
import { verifierKeyText } from '../audit/index.ts';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { AuthorityKeeper, type AuthorityKeeperDeps } from '../enroll/index.ts';
import { type RandomBytes, Secret } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import type { Authority, ServerCertificate } from '../pki/index.ts';

const LogKeySchema = z.object({
  version: z.literal(1),
  /** Name of the log and of its key. */
  origin: z.string(),
  /** PKCS#8 in DER, in base64. Secret: kept in the sealed store only. */
  key: z.base64(),
});

/** The identity of one server. */
export interface ServerIdentity {
  readonly authority: Authority;
  /** Changes the authority, and what follows from it. */
  readonly keeper: AuthorityKeeper;
  /** As it is now: a change of the authority brings another one. */
  readonly certificate: ServerCertificate;
  /** The key that signs checkpoints, and the public text that verifies them. */
  readonly log: {
    readonly origin: string;
    readonly signingKey: Secret<Uint8Array>;
    readonly verifierKey: string;
  };
}

/** The one record of each of these collections. */
const ONLY = 'only';

/** The only tenant so far. */
export const TENANT = tenantOf('default');

/** Opens the identity kept in the store, or makes it. `names` go into the server certificate. */
export function openServerIdentity(
  store: SealedStore,
  deps: Omit<AuthorityKeeperDeps, 'tenant'>,
): ServerIdentity {
  const keeper = new AuthorityKeeper(store, { ...deps, tenant: TENANT });
  return {
    authority: keeper.authority,
    keeper,
    get certificate() {
      return keeper.certificate;
    },
    log: openLogKey(store, deps.random),
  };
}

function openLogKey(store: SealedStore, random: RandomBytes): ServerIdentity['log'] {
  const keys = store.collection('log-key', LogKeySchema);
  const { origin, key } = readOrMake(keys, () => ({
    version: 1,
    origin: `holdfast/${TENANT}/${Buffer.from(random(8)).toString('hex')}`,
    key: Buffer.from(generatePrivateKey('Ed25519').expose()).toString('base64'),
  }));
  const signingKey = new Secret<Uint8Array>(Buffer.from(key, 'base64'));
  const handle = softwareKeyHandle('Ed25519', signingKey);
  return { origin, signingKey, verifierKey: verifierKeyText(origin, handle) };
}

function readOrMake<T>(collection: Collection<T>, make: () => T): T {
  const kept = collection.read(ONLY);
  if (kept !== undefined) return kept;
  const made = make();
  collection.write(ONLY, made);
  return made;
}

function tenantOf(name: string): Exclude<ReturnType<typeof parseTenantName>, Refusal> {
  const tenant = parseTenantName(name);
  if (tenant instanceof Refusal) throw new Error(tenant.detail);
  return tenant;
}
