/** Signing requests that wait for people, and what was signed of them so far. @module */
import {
  type CheckedRequest,
  type Progress,
  acceptSignatures,
  type Published,
  type Release,
  checkRequest,
  fromBytes,
  lineOfRole,
  lineRole,
  progressOf,
  releasesOf,
} from '@holdfast/firmware';
import { Refusal, refuse } from '@holdfast/protocol';
import {
  type FirmwareDocument,
  FirmwareDocumentSchema,
  type SignatureFile,
  SignatureFileSchema,
} from '@holdfast/protocol/api';
import { z } from 'zod';
import type { Clock } from '../../kernel/index.ts';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import { OPEN_REQUESTS_MAX } from './limits.ts';

const OpenRequestSchema = z.object({
  id: z.string(),
  documents: z.array(FirmwareDocumentSchema),
  files: z.array(SignatureFileSchema),
  madeAtMs: z.int(),
  /** Principal who handed it over. */
  by: z.string(),
});
/** A request that was not published yet. */
export type OpenRequest = Readonly<z.infer<typeof OpenRequestSchema>>;

/** An open request, as it stands now. */
export interface RequestStanding {
  readonly request: OpenRequest;
  readonly checked: CheckedRequest;
  readonly progress: Progress;
}

/** The open requests of one server. */
export class SigningRequests {
  readonly #clock: Clock;
  readonly #records: Collection<OpenRequest>;
  readonly #requests = new Map<string, OpenRequest>();
  /** What documents name: to read megabytes of them takes long, and they never change. */
  readonly #named = new WeakMap<OpenRequest['documents'], readonly Release[]>();

  constructor({
    clock,
    store,
  }: {
    readonly clock: Clock;
    readonly store: Pick<SealedStore, 'collection'>;
  }) {
    this.#clock = clock;
    this.#records = store.collection('update-request', OpenRequestSchema);
    for (const request of this.#records.all()) this.#requests.set(request.id, request);
  }

  get count(): number {
    return this.#requests.size;
  }

  /** Oldest first. */
  all(): OpenRequest[] {
    return [...this.#requests.values()].toSorted((a, b) => a.madeAtMs - b.madeAtMs);
  }

  byId(id: string): OpenRequest | undefined {
    return this.#requests.get(id);
  }

  /** The open requests of the releases of a product line alone, oldest first. */
  ofLine(line: string): OpenRequest[] {
    return this.all().filter(
      ({ documents: [first, ...more] }) => more.length === 0 && first?.role === lineRole(line),
    );
  }

  /** The releases that open requests name, whether they can still be completed or not. */
  releases(): Release[] {
    return this.all().flatMap(({ documents }) => {
      const known = this.#named.get(documents) ?? documents.flatMap(releasesIn);
      this.#named.set(documents, known);
      return known;
    });
  }

  /** Judges documents, and makes a request of them that counts once it is kept. */
  prepare(
    documents: readonly FirmwareDocument[],
    { published, by }: { readonly published: Published; readonly by: string },
  ): RequestStanding | Refusal {
    const nowMs = this.#clock.nowMs();
    const checked = checkRequest(documents, { published, nowMs });
    if (checked instanceof Refusal) return checked;
    const { id } = checked;
    const known = this.#requests.get(id);
    if (known === undefined && this.#requests.size >= OPEN_REQUESTS_MAX) {
      return refuse('E_UPDATE_REQUEST', `${OPEN_REQUESTS_MAX} are open: withdraw those not meant.`);
    }
    const fresh = { id, documents: [...documents], files: [], madeAtMs: nowMs, by };
    const request = known ?? fresh;
    return { request, checked, progress: progressOf(checked, request.files) };
  }

  /** How a request stands; a Refusal when what was published meanwhile has overtaken it. */
  standing(request: OpenRequest, published: Published): RequestStanding | Refusal {
    const nowMs = this.#clock.nowMs();
    const checked = checkRequest(request.documents, { published, nowMs });
    if (checked instanceof Refusal) return checked;
    return { request, checked, progress: progressOf(checked, request.files) };
  }

  /** The same with a file of signatures more, which counts once it is kept. */
  withFile(standing: RequestStanding, file: SignatureFile): RequestStanding | Refusal {
    const { request, checked } = standing;
    const accepted = acceptSignatures(checked, { before: request.files, file });
    if (accepted instanceof Refusal) return accepted;
    if (!accepted.isNew) return standing;
    const { files, progress } = accepted;
    return { request: { ...request, files: [...files] }, checked, progress };
  }

  keep(request: OpenRequest): void {
    this.#records.write(request.id, request);
    this.#requests.set(request.id, request);
  }

  /** Removes requests, within the transaction that its caller may have begun. */
  remove(ids: readonly string[]): void {
    for (const id of ids) this.#records.remove(id);
    for (const id of ids) this.#requests.delete(id);
  }
}

function releasesIn({ role, metadata }: FirmwareDocument): Release[] {
  if (lineOfRole(role) === undefined) return [];
  const read = fromBytes('targets', Buffer.from(metadata, 'base64'));
  return read instanceof Refusal ? [] : releasesOf(read.signed);
}
