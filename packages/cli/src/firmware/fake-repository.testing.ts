/** For tests: what the server does with signing requests, in memory, by the same pure functions. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import type { Client } from '@holdfast/client';
import {
  type CheckedRequest,
  type Published,
  type Release,
  ReleaseCustomSchema,
  acceptSignatures,
  checkRequest,
  documentsOf,
  lineProposal,
  newRequest,
  openPublished,
  progressOf,
  releaseId,
  releasesOf,
} from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import type {
  FirmwareDocument,
  OnlineKeys,
  SignatureFile,
  SigningRequest,
  SigningRequestView,
} from '@holdfast/protocol/api';

/** An error as the client throws it. */
class FakeApiError extends Error {
  readonly code: string;
  readonly fix = 'See the detail.';
  constructor({ code, detail }: Refusal) {
    super(detail);
    this.code = code;
  }
}

/** A repository without a server. */
export class FakeRepository {
  documents: FirmwareDocument[] = [];
  readonly requests = new Map<string, { request: SigningRequest; files: SignatureFile[] }>();
  readonly nowMs: () => number;
  /** What a stolen server makes of the releases that it is asked to propose. */
  alter = (releases: readonly Release[]): readonly Release[] => releases;
  /** What it makes of the documents of a ceremony. */
  exchange = (documents: readonly FirmwareDocument[]): readonly FirmwareDocument[] => documents;
  readonly #lengths = new Map<string, number>();
  #online = newKeys();
  readonly #roots: FirmwareDocument[] = [];
  #next: OnlineKeys['current'] | undefined;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  get published(): Published {
    return unrefused(openPublished(this.documents));
  }

  client(): Partial<Client> {
    return {
      onlineKeys: async () => this.#keys(),
      makeOnlineKeys: async () => {
        this.#next = newKeys();
        return this.#keys();
      },
      publishedFirmware: async () => ({ documents: this.documents }),
      makeSigningRequest: async ({ documents }) => this.#make(this.exchange(documents)),
      uploadArtifact: async ({ length, read }) => {
        const sha256 = createHash('sha256')
          .update(await read(0, length))
          .digest('hex');
        this.#lengths.set(sha256, length);
        return { sha256, length };
      },
      proposeRelease: async ({ sha256, fileName, release }) => {
        const custom = ReleaseCustomSchema.parse(release);
        const { line, version } = custom;
        const path = `${line}/${version}/${fileName}`;
        const length = this.#lengths.get(sha256) ?? assert.fail();
        const add = { id: releaseId(custom), path, length, sha256, custom };
        const before = this.published.lines.get(line);
        const releases = this.alter([...(before ? releasesOf(before.signed) : []), add]);
        const lives = { nowMs: this.nowMs() };
        const documents = documentsOf([lineProposal(this.published, { line, releases }, lives)]);
        return this.#make(documents);
      },
      signingRequests: async () =>
        [...this.requests.values()].map(({ request, files }) =>
          viewOf(this.#check(request.documents), files),
        ),
      signingRequest: async (id) => this.requests.get(id)?.request ?? assert.fail(),
      withdrawSigningRequest: async (id) => void this.requests.delete(id),
      submitSignatures: async (file) => {
        const open = this.requests.get(file.request);
        if (open === undefined) throw new FakeApiError(new Refusal('E_UPDATE_REQUEST', 'not open'));
        const checked = this.#check(open.request.documents);
        const accepted = unrefused(acceptSignatures(checked, { before: open.files, file }));
        open.files = [...accepted.files];
        const { complete } = accepted.progress;
        if (complete !== undefined) this.#publish(file.request, complete);
        return { request: viewOf(checked, open.files), isPublished: complete !== undefined };
      },
    };
  }

  #make(documents: readonly FirmwareDocument[]) {
    const checked = this.#check(documents);
    const request = newRequest(documents, { published: this.documents, history: this.#roots });
    this.requests.set(request.id, { request, files: [] });
    return { request, view: viewOf(checked, []) };
  }

  #keys(): OnlineKeys {
    return { current: this.#online, ...(this.#next && { next: this.#next }) };
  }

  #check(documents: readonly FirmwareDocument[]): CheckedRequest {
    return unrefused(checkRequest(documents, { published: this.published, nowMs: this.nowMs() }));
  }

  #publish(id: string, complete: readonly FirmwareDocument[]): void {
    const isNew = (old: FirmwareDocument): boolean =>
      !complete.some((one) => one.repository === old.repository && one.role === old.role);
    this.documents = [...this.documents.filter(isNew), ...complete];
    this.#roots.push(...complete.filter(({ role }) => role === 'root'));
    this.requests.delete(id);
  }
}

function viewOf(checked: CheckedRequest, files: readonly SignatureFile[]): SigningRequestView {
  return {
    id: checked.id,
    madeAt: '2026-11-21T04:00:00.000Z',
    madeBy: 'local',
    documents: progressOf(checked, files).documents.map(({ document, needs }) => ({
      repository: document.repository,
      role: document.role,
      version: document.version,
      expiresAt: document.metadata.signed.expires,
      needs: needs.map(({ who, threshold, signers }) => ({
        who,
        threshold,
        signers: [...signers],
      })),
    })),
  };
}

function newKeys(): OnlineKeys['current'] {
  const pem = (): string =>
    generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' });
  return {
    image: { snapshot: pem(), timestamp: pem() },
    director: { targets: pem(), snapshot: pem(), timestamp: pem() },
  };
}

function unrefused<T>(value: T | Refusal): T {
  if (value instanceof Refusal) throw new FakeApiError(value);
  return value;
}
