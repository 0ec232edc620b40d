/** The image repository: what was released, and the metadata that say so. @module */
import {
  type Published,
  type Release,
  documentsOf,
  firmwareDocument,
  fromBytes,
  keysOfRole,
  kindOfRole,
  lineRole,
  linesOf,
  openPublished,
  releasesOf,
} from '@holdfast/firmware';
import { Refusal, refuse } from '@holdfast/protocol';
import type { FirmwareDocument, SignatureFile } from '@holdfast/protocol/api';
import { Root } from '@tufjs/models';
import type { Act, RecordAct } from '../../audit/index.ts';
import type { Clock } from '../../kernel/index.ts';
import type { SealedStore } from '../../persistence/index.ts';
import type { OnlineKeys } from '../online-keys.ts';
import type { Releases, StoredArtifact } from '../ports.ts';
import type { VersionSequence } from '../version-sequence.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { type LineChange, changedLine } from './line-change.ts';
import { OnlineDocuments } from './online-documents.ts';
import { type PublishedDocument, PublishedDocuments } from './published-documents.ts';
import { PublishedReleases } from './published-releases.ts';
import { Publisher } from './publisher.ts';
import { type ReleaseFiles, filesOf } from './release-files.ts';
import { ReleaseIndex } from './release-index.ts';
import { type OpenRequest, type RequestStanding, SigningRequests } from './signing-requests.ts';

/** What the repository needs. */
export interface ImageRepositoryDeps {
  readonly clock: Clock;
  readonly store: Pick<SealedStore, 'collection' | 'transaction'>;
  readonly recordAct: RecordAct;
  readonly artifacts: Pick<ArtifactStore, 'get'>;
  readonly keys: OnlineKeys;
  readonly versions: VersionSequence;
}

/** A request after somebody has signed. */
export interface Submitted extends RequestStanding {
  readonly isPublished: boolean;
}

/** The image repository of one server, and the root of the director, which has the same signers. */
export class ImageRepository implements Releases {
  readonly documents: PublishedDocuments;
  readonly requests: SigningRequests;
  readonly #deps: ImageRepositoryDeps;
  readonly #online: OnlineDocuments;
  readonly #publisher: Publisher;
  readonly #releases: PublishedReleases;
  #turn: Promise<unknown> = Promise.resolve();
  #published: Published;
  #index: ReleaseIndex;

  constructor(deps: ImageRepositoryDeps) {
    this.#deps = deps;
    this.documents = new PublishedDocuments(deps.store);
    this.requests = new SigningRequests(deps);
    this.#releases = new PublishedReleases(deps.store);
    this.#online = new OnlineDocuments({ ...deps, documents: this.documents });
    this.#publisher = new Publisher({
      ...deps,
      documents: this.documents,
      note: (documents) => this.#releases.write(documents),
      endRequest: (id) => this.requests.remove([id]),
    });
    this.#published = this.#open();
    this.#index = new ReleaseIndex(this.#published);
    // A version before may have published them, and noted less of them.
    deps.store.transaction(() => this.#releases.note(this.#index.all));
  }

  list(): readonly Release[] {
    return this.#index.all;
  }

  byId(id: string): Release | undefined {
    return this.#index.byId(id);
  }

  bySha256(sha256: string): Release | undefined {
    return this.#index.bySha256(sha256);
  }

  /** What no release names is not there: nobody has signed it. */
  artifact(sha256: string): Promise<StoredArtifact | undefined> {
    const isNamed = this.#index.names(sha256);
    return Promise.resolve(isNamed ? this.#deps.artifacts.get(sha256) : undefined);
  }

  metadata(name: string): Uint8Array | undefined {
    return this.documents.file('image', name);
  }

  /** What people have signed, as it is published. */
  get published(): Published {
    return this.#published;
  }

  /** The same as files. Those of product lines that have ended are not among them. */
  publishedFiles(): FirmwareDocument[] {
    const targets = this.documents.file('image', 'targets.json');
    const lines = targets === undefined ? [] : linesIn(targets);
    const roles = new Set(['root', 'targets', ...lines.map(lineRole)]);
    return this.documents
      .all()
      .filter(({ role }) => roles.has(role))
      .map(fileOf);
  }

  /** Every release that was ever published, also what was taken back since. */
  everPublished(): ReleaseFiles[] {
    return this.#releases.all();
  }

  /** Does something between two changes of what is released, what waits and what is signed. */
  betweenChanges<T>(task: () => Promise<T>): Promise<T> {
    return this.#exclusively(task);
  }

  /** How an open request stands; a Refusal when it cannot be published any more. */
  standing(request: OpenRequest): RequestStanding | Refusal {
    return this.requests.standing(request, this.#published);
  }

  /** Makes a signing request of documents, once it is on the log. */
  makeRequest(
    documents: readonly FirmwareDocument[],
    by: string,
  ): Promise<RequestStanding | Refusal> {
    return this.#exclusively(() => this.#make(documents, by));
  }

  /**
   * Makes the request of a product line: its releases with one more, or without some. Those that
   * wait in an open request of this line come with it, and that request ends.
   */
  proposeLine(change: LineChange, by: string): Promise<RequestStanding | Refusal> {
    return this.#exclusively(async () => {
      const overtaken = this.requests.ofLine(change.line);
      const nowMs = this.#deps.clock.nowMs();
      const proposal = changedLine(change, { published: this.#published, overtaken, nowMs });
      if (proposal instanceof Refusal) return proposal;
      const made = await this.#make(documentsOf([proposal]), by);
      if (made instanceof Refusal) return made;
      const ids = overtaken.map(({ id }) => id).filter((id) => id !== made.request.id);
      this.requests.remove(ids);
      return made;
    });
  }

  /** Ends a request before it is published. */
  withdraw(id: string, by: string): Promise<OpenRequest | Refusal> {
    return this.#exclusively(async () => {
      const request = this.requests.byId(id);
      if (request === undefined) return absent(id);
      this.requests.remove([id]);
      await this.#deps.recordAct({ action: 'update.withdraw-request', principal: by, target: id });
      return request;
    });
  }

  /** Takes signatures, and publishes when they are enough. */
  submit(file: SignatureFile, by: string): Promise<Submitted | Refusal> {
    return this.#exclusively(async () => {
      const request = this.requests.byId(file.request);
      if (request === undefined) return absent(file.request);
      const before = this.standing(request);
      if (before instanceof Refusal) return before;
      const after = this.requests.withFile(before, file);
      if (after instanceof Refusal) return after;
      if (after !== before) {
        const facts = { keyId: file.keyId, documents: namesIn(after) };
        const act: Act = { action: 'update.sign', principal: by, target: request.id, facts };
        await this.#deps.recordAct(act);
        this.requests.keep(after.request);
      }
      const { complete } = after.progress;
      if (complete === undefined) return { ...after, isPublished: false };
      const problem = this.#problemOf(after);
      if (problem !== undefined) return refuse('E_UPDATE_REQUEST', problem);
      await this.#publishSigned(complete, { by, request: request.id });
      return { ...after, isPublished: true };
    });
  }

  /** Signs again what the server signs itself, where the time has come. @returns what was made. */
  renew(): Promise<readonly PublishedDocument[]> {
    return this.#exclusively(async () => {
      const { image } = this.#published;
      if (image === undefined) return [];
      const documents = this.#online.due(image);
      if (documents.length > 0) await this.#publisher.publish({ documents, by: 'server' });
      this.documents.prune(this.#deps.clock.nowMs());
      return documents;
    });
  }

  async #make(
    documents: readonly FirmwareDocument[],
    by: string,
  ): Promise<RequestStanding | Refusal> {
    const prepared = this.requests.prepare(documents, { published: this.#published, by });
    if (prepared instanceof Refusal) return prepared;
    const problem = this.#problemOf(prepared);
    if (problem !== undefined) return refuse('E_UPDATE_REQUEST', problem);
    const { id } = prepared.request;
    if (this.requests.byId(id) !== undefined) return prepared;
    const facts = { documents: namesIn(prepared) };
    await this.#deps.recordAct({ action: 'update.request', principal: by, target: id, facts });
    this.requests.keep(prepared.request);
    return prepared;
  }

  /** What stands against publishing documents that are signed as they should be. */
  #problemOf({ checked }: RequestStanding): string | undefined {
    for (const { repository, role, version, metadata } of checked.documents) {
      const { signed } = metadata;
      if ((this.documents.newest(repository, role)?.version ?? 0) >= version) {
        return `${role} had a version ${version} already: a line that has ended does not come back.`;
      }
      if (signed instanceof Root) {
        const roles = repository === 'image' ? IMAGE_ROLES : DIRECTOR_ROLES;
        for (const one of roles) {
          const { keys, threshold } = keysOfRole(signed, one);
          // To signers each key that is nobody's looks like one of the server.
          const areOurs = keys.every((key) => this.#deps.keys.byId(key.keyID) !== undefined);
          if (areOurs && threshold === 1) continue;
          return `The root of the ${repository} repository must name keys of this server alone for ${one}.`;
        }
      } else if (role !== 'targets') {
        const all = releasesOf(signed);
        const reused = all.map((one) => this.#releases.problemOf(one)).find((one) => one);
        const problem = reused ?? missingArtifact(all, this.#deps.artifacts);
        if (problem !== undefined) return problem;
      }
    }
    return undefined;
  }

  async #publishSigned(
    files: readonly FirmwareDocument[],
    { by, request }: { by: string; request: string },
  ): Promise<void> {
    const publishedMs = this.#deps.clock.nowMs();
    const people = files.map((file) => documentOf(file, publishedMs));
    const image = people.find(({ repository, role }) => repository === 'image' && role === 'root');
    const root = image === undefined ? this.#published.image : rootOf(image);
    if (root === undefined) throw new Error('a repository without a root is not published');
    const online = this.#online.forChange(people, root);
    await this.#publisher.publish({ documents: [...people, ...online], by, request });
    this.#reload();
    this.#endOvertaken();
    this.#removeOldKeys();
  }

  /** Requests that what was published has overtaken: nobody can complete them. */
  #endOvertaken(): void {
    const isOvertaken = (request: OpenRequest): boolean =>
      this.standing(request) instanceof Refusal;
    this.requests.remove(
      this.requests
        .all()
        .filter(isOvertaken)
        .map(({ id }) => id),
    );
  }

  #removeOldKeys(): void {
    const { image, director } = this.#published;
    const named = [image, director].flatMap((root) => Object.keys(root?.signed.keys ?? {}));
    // One that is about to be named must still be there.
    const asked = this.requests.all().flatMap(({ documents }) => documents.flatMap(keysNamedBy));
    this.#deps.keys.removeUnused(new Set([...named, ...asked]));
  }

  #reload(): void {
    this.#published = this.#open();
    this.#index = new ReleaseIndex(this.#published);
  }

  #open(): Published {
    const opened = openPublished(this.publishedFiles());
    // It was checked before it was published, and is sealed since.
    if (opened instanceof Refusal) throw new Error(opened.detail);
    return opened;
  }

  /** One change at a time; what an earlier one has left undone comes first. */
  #exclusively<T>(task: () => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      if (this.#publisher.isPending) {
        await this.#publisher.finish();
        this.#reload();
        this.#endOvertaken();
      }
      return task();
    };
    const result = this.#turn.then(run, run);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

const IMAGE_ROLES = ['snapshot', 'timestamp'] as const;
const DIRECTOR_ROLES = ['targets', 'snapshot', 'timestamp'] as const;

function missingArtifact(
  releases: readonly Release[],
  artifacts: Pick<ArtifactStore, 'get'>,
): string | undefined {
  for (const release of releases) {
    const { id } = release;
    const files = filesOf(release);
    const missing = files.find((file) => artifacts.get(file.sha256)?.length !== file.length);
    if (missing !== undefined) {
      return `The artifact ${missing.sha256} of ${id} is not here with ${missing.length} bytes.`;
    }
  }
  return undefined;
}

function fileOf({ repository, role, text }: PublishedDocument): FirmwareDocument {
  return firmwareDocument({ repository, role, bytes: Buffer.from(text, 'utf8') });
}

function namesIn({ checked }: RequestStanding): string[] {
  return checked.documents.map(
    ({ repository, role, version }) => `${repository}/${role} ${version}`,
  );
}

function documentOf(file: FirmwareDocument, publishedMs: number): PublishedDocument {
  const { repository, role } = file;
  const bytes = Buffer.from(file.metadata, 'base64');
  const { version, expires } = opened(role, bytes).signed;
  const expiresMs = Date.parse(expires);
  return { repository, role, version, expiresMs, publishedMs, text: bytes.toString('utf8') };
}

function rootOf({ text }: PublishedDocument): NonNullable<Published['image']> {
  const root = fromBytes('root', Buffer.from(text, 'utf8'));
  if (root instanceof Refusal) throw new Error(root.detail);
  return root;
}

function linesIn(targets: Buffer): string[] {
  const metadata = fromBytes('targets', targets);
  return metadata instanceof Refusal ? [] : linesOf(metadata.signed);
}

function opened(role: string, bytes: Buffer) {
  const kind = kindOfRole(role);
  const metadata = kind === undefined ? absent(role) : fromBytes(kind, bytes);
  if (metadata instanceof Refusal) throw new Error(metadata.detail);
  return metadata;
}

function keysNamedBy({ role, metadata }: FirmwareDocument): string[] {
  if (role !== 'root') return [];
  const root = fromBytes('root', Buffer.from(metadata, 'base64'));
  return root instanceof Refusal ? [] : Object.keys(root.signed.keys);
}

function absent(id: string): Refusal {
  return refuse('E_OPERATE_NOT_FOUND', `There is no open signing request ${id}.`);
}
