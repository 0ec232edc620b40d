/** Keeps the certificate authority and the certificate of this server, and changes them. @module */
import { type Refusal, type TenantName, refuse } from '@holdfast/protocol';
import type { KeyCustody, MadeKey, SavedKey } from '../crypto/index.ts';
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import {
  Authority,
  type AuthorityMaterial,
  type AuthorityV1Material,
  type ByRole,
  ISSUING_ROLES,
  type IssuingAuthority,
  type ServerCertificate,
  ServerCertificateSchema,
  StoredAuthoritySchema,
  byRole,
  certificatePin,
  certificateRequestPem,
  checkSigned,
  createAuthority,
  derOf,
  encryptPrivateKey,
  ensureServerCertificate,
  finished,
  isRootProof,
  makeKeys,
  nextGeneration,
  nextNumber,
  rotateServerCertificate,
  signGeneration,
  spkisOf,
  switched,
  upgradeAuthority,
  whyNotPrepare,
  withNext,
  withoutRootKey,
} from '../pki/index.ts';
import type { AuthorityChange, GenerationRequest, RootExport } from './authority-change.ts';
import { KeyLeftovers } from './key-leftovers.ts';

/** What the keeper needs. */
export interface AuthorityKeeperDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly tenant: TenantName;
  /** Host names and addresses in the certificate of this server. */
  readonly names: readonly string[];
  readonly custody: KeyCustody;
  /** Where the issuing keys are, for people. */
  readonly custodyName: string;
}

interface Requested {
  readonly generation: number;
  readonly keys: ByRole<MadeKey>;
}

/**
 * The one keeper of the authority. Changes are on the disk before anybody sees them, and what is
 * out of turn is refused with `E_OPERATE_CONFLICT`.
 */
export class AuthorityKeeper {
  readonly authority: Authority;
  /** Where the issuing keys are, for people. */
  readonly custody: string;
  readonly #deps: AuthorityKeeperDeps;
  readonly #store: SealedStore;
  readonly #leftovers: KeyLeftovers;
  readonly #authorities: Collection<AuthorityMaterial | AuthorityV1Material>;
  readonly #certificates: Collection<ServerCertificate['material']>;
  readonly #listeners = new Set<() => void>();
  #material: AuthorityMaterial;
  #certificate: ServerCertificate;
  #requested: Requested | undefined;
  #challenge: string | undefined;

  /** Opens what is kept, or makes it. */
  constructor(store: SealedStore, deps: AuthorityKeeperDeps) {
    this.#store = store;
    this.#leftovers = new KeyLeftovers(store, deps.custody);
    const custody = this.#leftovers.noting;
    this.#deps = { ...deps, custody };
    this.custody = deps.custodyName;
    this.#authorities = store.collection('authority', StoredAuthoritySchema);
    this.#certificates = store.collection('server-certificate', ServerCertificateSchema);
    const stored = this.#authorities.read(ONLY);
    this.#material =
      stored === undefined ? createAuthority(this.#deps) : upgradeAuthority(stored, this.#deps);
    if (this.#material !== stored) this.#authorities.write(ONLY, this.#material);
    this.#leftovers.destroy(this.#keysInUse());
    this.authority = new Authority(this.#material, deps);
    this.#certificate = this.#ensureCertificate();
  }

  /** The certificate that the listeners show now. */
  get certificate(): ServerCertificate {
    return this.#certificate;
  }

  /** Calls `listener` after each change of what the listeners show or trust. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Every issuing authority there ever was, the newest generation first. */
  get issuers(): readonly IssuingAuthority[] {
    return this.authority.issuers;
  }

  /** When a generation was made; milliseconds since 1970. */
  madeAtMs(generation: number): number {
    return this.#material.generations.find(({ number }) => number === generation)?.madeAtMs ?? 0;
  }

  /** The trust anchor; `isKeyHere` is false once its key was exported and forgotten here. */
  get root(): { fingerprint: string; notAfterMs: number; isKeyHere: boolean } {
    const { root } = this.authority;
    return {
      fingerprint: certificatePin(root.raw),
      notAfterMs: root.validToDate.getTime(),
      isKeyHere: this.#material.root.key !== undefined,
    };
  }

  /** Why no next generation can be made now; undefined when one can. */
  whyNotPrepare(): Refusal | undefined {
    return whyNotPrepare(this.#material);
  }

  /** Why the root's key cannot be had here; undefined when it can. */
  whyNoRootKey(): Refusal | undefined {
    return this.#material.root.key === undefined ? rootIsOffline() : undefined;
  }

  /**
   * A next generation, to be published and not yet used.
   * @param signed - certificates in PEM, as {@link request} asked for; for an offline root.
   */
  prepare(signed?: ByRole<string>): AuthorityChange | Refusal {
    const refusal = whyNotPrepare(this.#material);
    if (refusal !== undefined) return refusal;
    return signed === undefined ? this.#prepareHere() : this.#prepareSigned(signed);
  }

  /** Makes the keys of a next generation, for an offline root to sign. */
  request(): GenerationRequest | Refusal {
    const refusal = whyNotPrepare(this.#material);
    if (refusal !== undefined) return refusal;
    this.#dropRequested();
    const generation = nextNumber(this.#material.generations);
    const keys = makeKeys(generation, this.#deps.custody);
    this.#requested = { generation, keys };
    return { generation, requests: byRole((role) => certificateRequestPem(keys[role].key)) };
  }

  /** The next generation issues from now on, also the certificate of this server. */
  switch(): AuthorityChange | Refusal {
    const next = this.#material.generations.find(({ state }) => state === 'next');
    return this.#change(switched(this.#material), next?.number);
  }

  /** The generation before is not trusted any more, and its keys are destroyed. */
  finish(): AuthorityChange | Refusal {
    const old = this.#material.generations.find(({ state }) => state === 'trusted');
    const change = this.#change(finished(this.#material), old?.number, () => {
      // The old keys must not be read back out of the write-ahead log.
      this.#store.scrub();
      this.#leftovers.destroy(this.#keysInUse());
    });
    if ('code' in change || old === undefined) return change;
    const commit = (): Refusal | undefined => {
      // Noted before the record that names them goes, so that a later start can destroy them.
      for (const role of ISSUING_ROLES) this.#leftovers.note(old[role].key);
      return change.commit();
    };
    return { ...change, commit };
  }

  /**
   * The server shows its next key from the next handshake on, and makes the one after that.
   * Devices that keep the backup pin go on to trust it.
   */
  rotateServerKey(): void {
    const deps = { ...this.#deps, authority: this.authority };
    const certificate = rotateServerCertificate(this.#certificate.material, deps);
    this.#certificates.write(ONLY, certificate.material);
    this.#certificate = certificate;
    // The old key may be why: it must not be read back out of the write-ahead log.
    this.#store.scrub();
    for (const listener of this.#listeners) listener();
  }

  /**
   * Gives the server another certificate once two thirds of the life of this one are over. Its key
   * stays, and so do the pins of devices. @returns whether it was time.
   */
  renewCertificate(): boolean {
    const certificate = this.#ensureCertificate();
    if (!certificate.isNew) return false;
    this.#certificate = certificate;
    for (const listener of this.#listeners) listener();
    return true;
  }

  /** The root's key under a passphrase; it stays here until {@link forgetRoot}. */
  async exportRoot(passphrase: Secret<string>): Promise<RootExport | Refusal> {
    const { key } = this.#material.root;
    if (key?.kind !== 'sealed') return rootIsOffline();
    const { random } = this.#deps;
    const pkcs8 = new Secret(Buffer.from(key.pkcs8, 'base64'));
    const keyPem = await encryptPrivateKey(pkcs8, { passphrase, random });
    const challenge = Buffer.from(random(CHALLENGE_BYTES)).toString('base64url');
    this.#challenge = challenge;
    return { rootPem: keyPem + this.authority.anchorPem, challenge };
  }

  /** Forgets the root's key, when `proof` shows that the exported file opens. */
  forgetRoot(proof: string): Refusal | undefined {
    if (this.#material.root.key === undefined) return rootIsOffline();
    const challenge = this.#challenge;
    if (challenge === undefined) {
      return refuse('E_OPERATE_CONFLICT', 'the root was not exported just now; export it first');
    }
    if (!isRootProof(proof, { root: this.authority.root, challenge })) {
      return refuse('E_OPERATE_INPUT', 'the proof was not made with the exported key');
    }
    this.#challenge = undefined;
    this.#save(withoutRootKey(this.#material));
    this.#store.scrub();
    return undefined;
  }

  #prepareHere(): AuthorityChange | Refusal {
    const rootKey = this.#material.root.key;
    if (rootKey === undefined) return rootIsOffline();
    const generation = nextNumber(this.#material.generations);
    const before = this.#material;
    return {
      generation,
      commit: () => {
        if (this.#material !== before) return changedMeanwhile();
        const { custody } = this.#deps;
        const keys = makeKeys(generation, custody);
        const root = { certificateDer: derOf(before.root), key: custody.open(rootKey) };
        const signing = { ...this.#deps, root, generation };
        return this.#add(keys, signGeneration(spkisOf(keys), signing));
      },
    };
  }

  #prepareSigned(signed: ByRole<string>): AuthorityChange | Refusal {
    const requested = this.#requested;
    if (requested === undefined) {
      return refuse('E_OPERATE_CONFLICT', 'nothing was asked of the root since the last start');
    }
    const { keys, generation } = requested;
    const certificates = checkSigned(signed, {
      root: this.authority.root,
      spkis: spkisOf(keys),
      tenant: this.#deps.tenant,
      generation,
      nowMs: this.#deps.clock.nowMs(),
    });
    if ('code' in certificates) return certificates;
    return {
      generation,
      commit: () => {
        if (this.#requested !== requested) return changedMeanwhile();
        this.#requested = undefined;
        return this.#add(keys, certificates);
      },
    };
  }

  #add(keys: ByRole<MadeKey>, certificates: ByRole<Uint8Array>): Refusal | undefined {
    const made = { keys, certificates, madeAtMs: this.#deps.clock.nowMs() };
    const material = withNext(this.#material, nextGeneration(this.#material, made));
    if ('code' in material) return material;
    this.#save(material);
    return undefined;
  }

  #change(
    material: AuthorityMaterial | Refusal,
    generation: number | undefined,
    andThen: () => void = () => {},
  ): AuthorityChange | Refusal {
    if ('code' in material) return material;
    const before = this.#material;
    return {
      generation: generation ?? 0,
      commit: () => {
        if (this.#material !== before) return changedMeanwhile();
        this.#save(material);
        andThen();
        return undefined;
      },
    };
  }

  /** Memory follows the disk, and the listeners follow both. */
  #save(material: AuthorityMaterial): void {
    this.#authorities.write(ONLY, material);
    this.#material = material;
    this.authority.adopt(material);
    this.#certificate = this.#ensureCertificate();
    for (const listener of this.#listeners) listener();
  }

  #ensureCertificate(): ServerCertificate {
    const deps = { ...this.#deps, authority: this.authority };
    const certificate = ensureServerCertificate(this.#certificates.read(ONLY), deps);
    if (certificate.isNew) this.#certificates.write(ONLY, certificate.material);
    return certificate;
  }

  #keysInUse(): SavedKey[] {
    const requested = this.#requested?.keys;
    return ISSUING_ROLES.flatMap((role) => {
      const kept = this.#material.generations.map((generation) => generation[role].key);
      return [...kept, requested?.[role].saved].filter((key) => key !== undefined);
    });
  }

  #dropRequested(): void {
    if (this.#requested === undefined) return;
    this.#requested = undefined;
    this.#leftovers.destroy(this.#keysInUse());
  }
}

function rootIsOffline(): Refusal {
  return refuse('E_OPERATE_CONFLICT', 'the key of the root is offline; give its file with --root');
}

function changedMeanwhile(): Refusal {
  return refuse('E_OPERATE_CONFLICT', 'the authority has changed meanwhile; look again');
}

/** The one record of each of these collections. */
const ONLY = 'only';
const CHALLENGE_BYTES = 32;
