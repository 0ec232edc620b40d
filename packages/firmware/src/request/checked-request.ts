/** A signing request whose documents were opened and judged: the only kind that can be signed. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { FirmwareDocument } from '@holdfast/protocol/api';
import type { Key, Metadata, Root, Targets } from '@tufjs/models';
import {
  type Repository,
  type Scope,
  canonicalBytes,
  fromBytes,
  kindOfRole,
  lineOfRole,
  scopeOf,
} from '../metadata/index.ts';
import { LIFE_DAYS_MAX } from './limits.ts';
import {
  type Need,
  type OpenedDocument,
  type Standing,
  nameOfKey,
  needsOf,
  standingAfter,
} from './needs.ts';
import type { Published } from './published.ts';
import { requestId } from './request.ts';
import { ruleProblem } from './rules.ts';

/** A document of a request. */
export interface CheckedDocument {
  readonly repository: Repository;
  readonly role: string;
  readonly version: number;
  readonly metadata: Metadata<Root | Targets>;
  /** What is signed: canonical JSON. */
  readonly bytes: Uint8Array;
  /** The version before, which is published; absent for a first one. */
  readonly previous?: Metadata<Root | Targets>;
  /** Who must sign it: each of these groups. */
  readonly needs: readonly Need[];
}

/** Made by {@link checkRequest} alone. */
export class CheckedRequest {
  readonly id: string;
  readonly documents: readonly CheckedDocument[];
  readonly #standing: Standing;

  private constructor(request: { id: string; documents: CheckedDocument[]; standing: Standing }) {
    this.id = request.id;
    this.documents = request.documents;
    this.#standing = request.standing;
  }

  /** Who has a key, as the documents say; empty when they do not. */
  nameOf(key: Key): string {
    return nameOfKey(this.#standing, key);
  }

  /** @internal */
  static check(
    documents: readonly FirmwareDocument[],
    { published, nowMs }: { readonly published: Published; readonly nowMs: number },
  ): CheckedRequest | Refusal {
    const opened = openAll(documents, nowMs);
    if (opened instanceof Refusal) return opened;
    const standing = standingAfter(published, opened);
    const checked: CheckedDocument[] = [];
    for (const one of opened) {
      const document = checkDocument(one, standing);
      if (document instanceof Refusal) return document;
      checked.push(document);
    }
    const problem = ruleProblem(standing);
    if (problem !== undefined) return refuse('E_UPDATE_REQUEST', problem);
    return new CheckedRequest({ id: requestId(documents), documents: checked, standing });
  }
}

/**
 * Opens the documents of a request, and judges each against the version that is published: who must
 * sign it, that it is the next one, and that it keeps the rules of the repositories.
 * @param published - on the server its own; for a signer what the request shows, by `openPublished`
 * @returns it, or `E_UPDATE_REQUEST` or `E_UPDATE_METADATA`
 */
export function checkRequest(
  documents: readonly FirmwareDocument[],
  context: { readonly published: Published; readonly nowMs: number },
): CheckedRequest | Refusal {
  return CheckedRequest.check(documents, context);
}

function openAll(
  documents: readonly FirmwareDocument[],
  nowMs: number,
): OpenedDocument[] | Refusal {
  const opened: OpenedDocument[] = [];
  for (const document of documents) {
    const one = openDocument(document, nowMs);
    if (one instanceof Refusal) return one;
    if (opened.some((o) => o.repository === one.repository && o.role === one.role)) {
      return refuse('E_UPDATE_REQUEST', `It has two documents of the role ${one.role}.`);
    }
    opened.push(one);
  }
  return opened;
}

function openDocument(document: FirmwareDocument, nowMs: number): OpenedDocument | Refusal {
  const { repository, role } = document;
  const kind = kindOfRole(role);
  const isForPeople = kind === 'root' || (kind === 'targets' && repository === 'image');
  if (!isForPeople) {
    return refuse(
      'E_UPDATE_REQUEST',
      `People do not sign ${role} of the ${repository} repository.`,
    );
  }
  const metadata = fromBytes(kind, Buffer.from(document.metadata, 'base64'));
  if (metadata instanceof Refusal) return metadata;
  if (!isScopeOf(scopeOf(metadata.signed), document)) {
    return refuse('E_UPDATE_REQUEST', `The document of ${repository} ${role} says it is another.`);
  }
  if (Object.keys(metadata.signatures).length > 0) {
    return refuse('E_UPDATE_REQUEST', `The document of ${role} brings signatures with it.`);
  }
  const lifeMs = Date.parse(metadata.signed.expires) - nowMs;
  if (lifeMs <= 0) return refuse('E_UPDATE_REQUEST', `The new ${role} has expired already.`);
  if (lifeMs > LIFE_DAYS_MAX * DAY_MS) {
    return refuse('E_UPDATE_REQUEST', `The new ${role} lives for more than ${LIFE_DAYS_MAX} days.`);
  }
  return { repository, role, metadata };
}

function isScopeOf(scope: Scope, { repository, role }: FirmwareDocument): boolean {
  const line = 'line' in scope ? scope.line : undefined;
  return scope.repository === repository && line === lineOfRole(role);
}

function checkDocument(document: OpenedDocument, standing: Standing): CheckedDocument | Refusal {
  const { repository, role, metadata } = document;
  const previous = previousOf(document, standing.published);
  const { version } = metadata.signed;
  const next = (previous?.signed.version ?? 0) + 1;
  if (version !== next) {
    return refuse(
      'E_UPDATE_REQUEST',
      `It has version ${version} of ${role} (${repository}); the next one is ${next}.`,
    );
  }
  const needs = needsOf(document, standing);
  if (needs instanceof Refusal) return needs;
  const bytes = canonicalBytes(metadata.signed);
  return { repository, role, version, metadata, bytes, needs, ...(previous && { previous }) };
}

function previousOf(
  { repository, role }: OpenedDocument,
  published: Published,
): Metadata<Root | Targets> | undefined {
  if (role === 'root') return published[repository];
  const line = lineOfRole(role);
  return line === undefined ? published.targets : published.lines.get(line);
}

const DAY_MS = 86_400_000;
