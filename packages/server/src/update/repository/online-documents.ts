/** Snapshot and timestamp of the image repository: what the server signs of it. @module */
import {
  type NamedFile,
  type Published,
  keysOfRole,
  lineOfRole,
  newSnapshot,
  newTimestamp,
} from '@holdfast/firmware';
import { type Clock, Fault } from '../../kernel/index.ts';
import type { OnlineKey, OnlineKeys } from '../online-keys.ts';
import { signDocument } from '../sign-document.ts';
import type { VersionSequence } from '../version-sequence.ts';
import { RESIGN_CHECK_MS, SNAPSHOT_LIFE_MS, SNAPSHOT_RENEW_MS } from './limits.ts';
import { TIMESTAMP_LIFE_MS, TIMESTAMP_RENEW_MS } from './limits.ts';
import type { PublishedDocument, PublishedDocuments } from './published-documents.ts';

/** What signing them needs. */
export interface OnlineDocumentsDeps {
  readonly clock: Clock;
  readonly keys: OnlineKeys;
  readonly versions: VersionSequence;
  readonly documents: PublishedDocuments;
}

const IMAGE = { repository: 'image' } as const;

/** Signs snapshots and timestamps. */
export class OnlineDocuments {
  readonly #deps: OnlineDocumentsDeps;

  constructor(deps: OnlineDocumentsDeps) {
    this.#deps = deps;
  }

  /**
   * A snapshot and a timestamp for what is about to be published.
   * @param changed - what takes the place of the published documents of their roles.
   * @param root - the newest root, changed or not: it says whose keys sign.
   */
  forChange(
    changed: readonly PublishedDocument[],
    root: NonNullable<Published['image']>,
  ): PublishedDocument[] {
    const { documents } = this.#deps;
    const roles = new Map<string, PublishedDocument>();
    for (const document of [...documents.all(), ...changed]) {
      const { repository, role } = document;
      // Those of a line that has ended as well: a device refuses a snapshot that lost one.
      const isNamed = role === 'targets' || lineOfRole(role) !== undefined;
      if (repository === 'image' && isNamed) roles.set(role, document);
    }
    const files = [...roles.values()].map(fileOf).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const snapshot = this.#snapshot(files, root);
    return [snapshot, this.#timestamp(snapshot, root)];
  }

  /** What has to be signed again by now, if anything. */
  due(root: NonNullable<Published['image']>): PublishedDocument[] {
    const { clock, documents } = this.#deps;
    const nowMs = clock.nowMs();
    const snapshot = documents.newest('image', 'snapshot');
    const timestamp = documents.newest('image', 'timestamp');
    if (snapshot === undefined || timestamp === undefined) return [];
    const isOld = snapshot.expiresMs - nowMs < SNAPSHOT_RENEW_MS || isAhead(snapshot, nowMs);
    if (isOld) return this.forChange([], root);
    const ageMs = nowMs - timestamp.publishedMs;
    const isDue = ageMs >= TIMESTAMP_RENEW_MS || isAhead(timestamp, nowMs);
    return isDue ? [this.#timestamp(snapshot, root)] : [];
  }

  #snapshot(files: readonly NamedFile[], root: NonNullable<Published['image']>): PublishedDocument {
    const dated = this.#dated('snapshot', SNAPSHOT_LIFE_MS);
    const signed = newSnapshot({ ...dated, scope: IMAGE, files });
    return this.#document('snapshot', dated, signDocument(signed, this.#key(root, 'snapshot')));
  }

  #timestamp(
    snapshot: PublishedDocument,
    root: NonNullable<Published['image']>,
  ): PublishedDocument {
    const dated = this.#dated('timestamp', TIMESTAMP_LIFE_MS);
    const signed = newTimestamp({ ...dated, scope: IMAGE, snapshot: fileOf(snapshot) });
    return this.#document('timestamp', dated, signDocument(signed, this.#key(root, 'timestamp')));
  }

  #key(root: NonNullable<Published['image']>, role: 'snapshot' | 'timestamp'): OnlineKey {
    const { keys } = keysOfRole(root.signed, role);
    const ours = keys.flatMap(({ keyID }) => this.#deps.keys.byId(keyID) ?? []);
    const [key] = ours.toSorted((a, b) => b.generation - a.generation);
    if (key !== undefined) return key;
    throw new Fault({
      code: 'E_UPDATE_ONLINE_KEY',
      what: `The root of the image repository names no key of this server for ${role}.`,
      fix: 'Make new keys, and sign roots that name them: holdfast fw key rotate --online.',
    });
  }

  #dated(role: string, lifeMs: number): { version: number; expiresMs: number } {
    const { clock, versions, documents } = this.#deps;
    const version = versions.next(documents.newest('image', role)?.version ?? 0);
    return { version, expiresMs: clock.nowMs() + lifeMs };
  }

  #document(
    role: string,
    { version, expiresMs }: { version: number; expiresMs: number },
    bytes: Buffer,
  ): PublishedDocument {
    const publishedMs = this.#deps.clock.nowMs();
    return { ...IMAGE, role, version, expiresMs, publishedMs, text: bytes.toString('utf8') };
  }
}

/** Made by a clock that was wrong: it would be good for longer than it should. */
function isAhead({ publishedMs }: PublishedDocument, nowMs: number): boolean {
  return publishedMs > nowMs + RESIGN_CHECK_MS;
}

function fileOf({ role, version, text }: PublishedDocument): NamedFile {
  return { name: `${role}.json`, version, bytes: Buffer.from(text, 'utf8') };
}
