/** Publishes metadata: planned, on the log, and then all of it at once. @module */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RecordAct } from '../../audit/index.ts';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import {
  type PublishedDocument,
  PublishedDocumentSchema,
  type PublishedDocuments,
} from './published-documents.ts';

const PlanSchema = z.object({
  documents: z.array(PublishedDocumentSchema),
  /** Principal who brought what was missing; `server` for what it signs itself. */
  by: z.string(),
  /** Id of the signing request that ends with it. */
  request: z.string().optional(),
});
/** What is to be published together. */
export type PublicationPlan = Readonly<z.infer<typeof PlanSchema>>;

/** What the publisher needs. */
export interface PublisherDeps {
  readonly store: Pick<SealedStore, 'collection' | 'transaction'>;
  readonly recordAct: RecordAct;
  readonly documents: PublishedDocuments;
  /** Notes what is published, in the transaction under way. */
  readonly note: (documents: readonly PublishedDocument[]) => void;
  /** Removes the request that has come to its end, in the transaction under way. */
  readonly endRequest: (id: string) => void;
}

const ONLY = 'only';

/**
 * A plan is kept before the log says it, so that a crash in between does not make the server sign
 * the same version in other words: the plan is carried out at the next start. What the log has not
 * said is served to nobody.
 */
export class Publisher {
  readonly #deps: PublisherDeps;
  readonly #plans: Collection<PublicationPlan>;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
    this.#plans = deps.store.collection('update-plan', PlanSchema);
  }

  /** Whether a plan waits that was not carried out. */
  get isPending(): boolean {
    return this.#plans.read(ONLY) !== undefined;
  }

  /**
   * Publishes; all of it counts when this resolves. When it rejects, nothing does yet: it is for
   * {@link finish} then, before anything else is planned.
   */
  async publish(plan: PublicationPlan): Promise<void> {
    this.#plans.write(ONLY, plan);
    await this.finish();
  }

  /** Carries out the plan that waits, if there is one. */
  async finish(): Promise<void> {
    const plan = this.#plans.read(ONLY);
    if (plan === undefined) return;
    const { store, recordAct, documents, note, endRequest } = this.#deps;
    await Promise.all(plan.documents.map((document) => recordAct(publishAct(document, plan))));
    store.transaction(() => {
      documents.write(plan.documents);
      note(plan.documents);
      if (plan.request !== undefined) endRequest(plan.request);
      this.#plans.remove(ONLY);
    });
    documents.show(plan.documents);
  }
}

type PublishAct = Parameters<RecordAct>[0];

function publishAct(document: PublishedDocument, { by, request }: PublicationPlan): PublishAct {
  const { repository, role, version, text, expiresMs } = document;
  const bytes = Buffer.from(text, 'utf8');
  const isOfServer = role === 'snapshot' || role === 'timestamp';
  const facts = {
    repository,
    role,
    version,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    length: bytes.length,
    expiresMs,
    ...(!isOfServer && request !== undefined && { request }),
  };
  const principal = isOfServer ? 'server' : by;
  return { action: 'update.publish', principal, target: `${repository}/${role}`, facts };
}
