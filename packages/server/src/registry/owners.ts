/** Owners: who has which device, and by which apps. In memory, written through. @module */
import type { Clock, RandomBytes, Secret } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { hashesAreEqual } from './credential-hash.ts';
import { APP_SEEN_STEP_MS } from './limits.ts';
import { newOneTimeCode, oneTimeCodeHash } from './one-time-code.ts';
import {
  type AppCertificate,
  OWNER_PREFIX,
  type OwnerApp,
  OwnerAppSchema,
  type PairCodeRecord,
  PairCodeRecordSchema,
  type Pairing,
  PairingSchema,
  type UsedPairCode,
  appPrincipal,
} from './owner-records.ts';

/** An app's wish that was checked: a code was right, and this is to be written for it. */
export interface NewApp {
  readonly ownerId: string;
  readonly appId: string;
  readonly certificate: AppCertificate;
  readonly used: UsedPairCode;
  readonly code: PairCodeRecord;
}

/** Whose rights have ended or begun: the device, if it is one, and principals of apps. */
export interface OwnerChange {
  readonly deviceId?: string | undefined;
  /** Apps that have lost something: their sessions end. */
  readonly lost: readonly string[];
  /** An app one of whose certificates counts no more: what is open by that one ends. */
  readonly renewed?: string | undefined;
}

/** Hears of each change after it is on the disk. */
export type OwnerListener = (change: OwnerChange) => void;

/** Names of base32 characters. RFC 4648 §6, in lower case. */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const OWNER_CHARACTERS = 20;
const APP_CHARACTERS = 12;
/** Compared with when there is no code: no code is known that has this hash. */
const HASH_OF_NOTHING = '00'.repeat(32);

/** The owners of one server. */
export class Owners {
  readonly #store: SealedStore;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #pairingRecords: Collection<Pairing>;
  readonly #appRecords: Collection<OwnerApp>;
  readonly #codeRecords: Collection<PairCodeRecord>;
  readonly #pairings = new Map<string, Pairing>();
  readonly #devicesOf = new Map<string, Set<string>>();
  readonly #apps = new Map<string, OwnerApp>();
  readonly #appsOf = new Map<string, Set<string>>();
  readonly #listeners = new Set<OwnerListener>();

  constructor(store: SealedStore, { clock, random }: { clock: Clock; random: RandomBytes }) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#pairingRecords = store.collection('pairing', PairingSchema);
    this.#appRecords = store.collection('owner-app', OwnerAppSchema);
    this.#codeRecords = store.collection('pair-code', PairCodeRecordSchema);
    for (const pairing of this.#pairingRecords.all()) this.#rememberPairing(pairing);
    for (const app of this.#appRecords.all()) this.#rememberApp(app);
  }

  /** Who has a device, `owner:<id>`; undefined for nobody. */
  ownerOf(deviceId: string): string | undefined {
    return this.#pairings.get(deviceId)?.ownerId;
  }

  /** Who has a device, and since when. */
  pairingOf(deviceId: string): Pairing | undefined {
    return this.#pairings.get(deviceId);
  }

  /** The pairings of an owner, in the order of the device ids. */
  pairingsOf(ownerId: string): Pairing[] {
    return [...(this.#devicesOf.get(ownerId) ?? [])]
      .sort()
      .map((deviceId) => this.#pairings.get(deviceId))
      .filter((pairing) => pairing !== undefined);
  }

  app(appId: string): OwnerApp | undefined {
    return this.#apps.get(appId);
  }

  /** All apps of all owners, in no particular order. */
  apps(): Iterable<OwnerApp> {
    return this.#apps.values();
  }

  /** Announces that a certificate of this app counts no more, by a change that is kept elsewhere. */
  announceEnded(appId: string): void {
    this.#publish({ lost: [], renewed: appPrincipal(appId) });
  }

  /** The apps of an owner, oldest first. */
  appsOf(ownerId: string): OwnerApp[] {
    return [...(this.#appsOf.get(ownerId) ?? [])]
      .map((appId) => this.#apps.get(appId))
      .filter((app) => app !== undefined)
      .sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  /** A name for a new owner: 100 bits that nobody guesses. */
  newOwnerId(): string {
    return OWNER_PREFIX + this.#letters(OWNER_CHARACTERS);
  }

  /** A name for a new app, with that of its owner in it. */
  newAppId(ownerId: string): string {
    return `${ownerId.slice(OWNER_PREFIX.length)}.${this.#letters(APP_CHARACTERS)}`;
  }

  /** Makes the code of a device, or of an owner; the one before it is void. */
  makeCode(
    of: string,
    { lifeMs }: { lifeMs?: number | undefined } = {},
  ): {
    readonly code: Secret<string>;
    readonly record: PairCodeRecord;
  } {
    const code = newOneTimeCode(this.#random);
    const hash = oneTimeCodeHash(code.expose());
    const expiresAtMs = lifeMs === undefined ? undefined : this.#clock.nowMs() + lifeMs;
    return { code, record: { of, hash, ...(expiresAtMs !== undefined && { expiresAtMs }) } };
  }

  /** Keeps a code: it counts from here on. */
  keepCode(record: PairCodeRecord): void {
    this.#codeRecords.write(record.of, record);
  }

  /** The code of a device or an owner when this is it, with the same work when there is none. */
  matchCode(of: string, typed: string): PairCodeRecord | undefined {
    const record = this.#codeRecords.read(of);
    const isRight = hashesAreEqual(oneTimeCodeHash(typed), record?.hash ?? HASH_OF_NOTHING);
    return isRight ? record : undefined;
  }

  /** Writes a new app with its used code, and the pairing when the code was of a device. */
  addApp({ ownerId, appId, certificate, used, code }: NewApp): OwnerApp {
    const nowMs = this.#clock.nowMs();
    const app: OwnerApp = {
      id: appId,
      ownerId,
      certificate,
      createdAtMs: nowMs,
      lastSeenAtMs: nowMs,
    };
    const pairing = code.of === ownerId ? undefined : this.#pairing(code.of, ownerId);
    this.#store.transaction(() => {
      this.#appRecords.write(app.id, app);
      if (pairing !== undefined) this.#pairingRecords.write(pairing.deviceId, pairing);
      this.#codeRecords.write(code.of, { ...code, used });
    });
    this.#rememberApp(app);
    if (pairing !== undefined) this.#rememberPairing(pairing);
    this.#publish({ deviceId: pairing?.deviceId, lost: [] });
    return app;
  }

  /** Gives an owner that is there one more device; its code is used up. */
  addDevice(ownerId: string, deviceId: string): void {
    const pairing = this.#pairing(deviceId, ownerId);
    this.#store.transaction(() => {
      this.#pairingRecords.write(deviceId, pairing);
      this.#codeRecords.remove(deviceId);
    });
    this.#rememberPairing(pairing);
    this.#publish({ deviceId, lost: [] });
  }

  /**
   * Ends the pairing of a device. Listeners have ended the sessions of the owner's apps when this
   * returns; when the disk fails, it holds until the next start all the same, and throws.
   * @returns the owner that it had.
   */
  release(deviceId: string): string | undefined {
    const ownerId = this.ownerOf(deviceId);
    try {
      this.#store.transaction(() => {
        this.#pairingRecords.remove(deviceId);
        this.#codeRecords.remove(deviceId);
      });
    } finally {
      this.#pairings.delete(deviceId);
      if (ownerId !== undefined) {
        this.#devicesOf.get(ownerId)?.delete(deviceId);
        const lost = this.appsOf(ownerId).map(({ id }) => appPrincipal(id));
        this.#publish({ deviceId, lost });
      }
    }
    return ownerId;
  }

  /** Ends an app at once; as with {@link release}, it holds when the disk fails. */
  removeApp(appId: string): boolean {
    const app = this.#apps.get(appId);
    if (app === undefined) return false;
    try {
      this.#appRecords.remove(appId);
    } finally {
      this.#apps.delete(appId);
      this.#appsOf.get(app.ownerId)?.delete(appId);
      this.#publish({ lost: [appPrincipal(appId)] });
    }
    return true;
  }

  /** Records a renewal: the new certificate is pending until its first use. */
  renew(app: OwnerApp, pending: NonNullable<OwnerApp['pending']>): void {
    this.#write({ ...app, pending });
  }

  /** Notes that an app is there by this certificate; the first use of a pending one ends the other. */
  useCertificate(appId: string, fingerprint: string): void {
    const app = this.#apps.get(appId);
    if (app === undefined) return;
    const nowMs = this.#clock.nowMs();
    if (app.pending?.fingerprint === fingerprint) {
      const { pending, ...rest } = app;
      const { certificatePem: _certificatePem, ...certificate } = pending;
      this.#write({ ...rest, certificate, lastSeenAtMs: nowMs });
      this.#publish({ lost: [], renewed: appPrincipal(appId) });
    } else if (nowMs - app.lastSeenAtMs >= APP_SEEN_STEP_MS) {
      this.#write({ ...app, lastSeenAtMs: nowMs });
    }
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: OwnerListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #pairing(deviceId: string, ownerId: string): Pairing {
    if (this.#pairings.has(deviceId)) throw new Error(`${deviceId} has an owner`);
    return { deviceId, ownerId, sinceMs: this.#clock.nowMs() };
  }

  #write(app: OwnerApp): void {
    this.#appRecords.write(app.id, app);
    this.#rememberApp(app);
  }

  #rememberPairing(pairing: Pairing): void {
    const { deviceId, ownerId } = pairing;
    this.#pairings.set(deviceId, pairing);
    const known = this.#devicesOf.get(ownerId) ?? new Set();
    this.#devicesOf.set(ownerId, known.add(deviceId));
  }

  #rememberApp(app: OwnerApp): void {
    this.#apps.set(app.id, app);
    const known = this.#appsOf.get(app.ownerId) ?? new Set();
    this.#appsOf.set(app.ownerId, known.add(app.id));
  }

  #letters(count: number): string {
    // 256 is a multiple of 32, so every character is equally likely.
    return Array.from(this.#random(count), (byte) => BASE32.charAt(byte % 32)).join('');
  }

  #publish(change: OwnerChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
