/** What this phone keeps of itself, in the browser's own database. @module */

/** A key, without its certificate yet. */
export interface KeptKey {
  readonly keys: CryptoKeyPair;
}

/** Who this phone is to the server. The key cannot leave; the certificate is no secret. */
export interface Identity extends KeptKey {
  /** Name of the app. */
  readonly app: string;
  readonly certificatePem: string;
  /** ISO 8601. */
  readonly notAfter: string;
}

/**
 * The places of the store.
 * - `asked`: the key of a pairing of which no answer came yet: the same request may be made again.
 * - `now`: who this phone is.
 * - `renewing`: the key of a renewal of which no answer came yet.
 * - `next`: who it is from the first use on.
 */
interface Places {
  readonly asked: KeptKey;
  readonly now: Identity;
  readonly renewing: KeptKey;
  readonly next: Identity;
}

const DATABASE = 'holdfast-owner';
const STORE = 'identity';

/** What is kept in a place; undefined for nothing. */
export async function kept<P extends keyof Places>(place: P): Promise<Places[P] | undefined> {
  const store = await openStore('readonly');
  // Only this file writes into it, by `keep`.
  return (await done(store.get(place))) as Places[P] | undefined;
}

/** Keeps something; it is on the disk when this resolves. */
export async function keep<P extends keyof Places>(place: P, what: Places[P]): Promise<void> {
  const store = await openStore('readwrite');
  store.put(what, place);
  await committed(store.transaction);
}

/** Forgets what is in some places. */
export async function forget(...places: readonly (keyof Places)[]): Promise<void> {
  const store = await openStore('readwrite');
  for (const place of places) store.delete(place);
  await committed(store.transaction);
}

/** What was next is who this phone is now, in one step. */
export async function takeNext(next: Identity): Promise<void> {
  const store = await openStore('readwrite');
  store.put(next, 'now' satisfies keyof Places);
  store.delete('next' satisfies keyof Places);
  await committed(store.transaction);
}

let database: Promise<IDBDatabase> | undefined;

async function openStore(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  database ??= openDatabase();
  const open = await database;
  return open.transaction(STORE, mode, { durability: 'strict' }).objectStore(STORE);
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE));
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(failed(request.error)));
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(failed(transaction.error)));
  });
}

function failed(cause: DOMException | null): Error {
  return new Error('this browser keeps nothing for the page; is it a private window?', { cause });
}
