/** The versions of the policy: each one that was ever set, sealed, newest in force. @module */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { POLICY_VERSIONS_MAX } from './limits.ts';
import { SCHEMA_SHA256 } from './schema.ts';

export const PolicyVersionSchema = z.object({
  /** Counted from 1. */
  number: z.int(),
  text: z.string(),
  /** SHA-256 of the text, lower-case hex; the act on the audit log says the same. */
  sha256: z.string(),
  /** Who set it: `person:<name>`, `local`, or `server` for the one that comes with Holdfast. */
  author: z.string(),
  reason: z.string(),
  atMs: z.int(),
  /** The schema that it was checked against. */
  schemaSha256: z.string(),
});
/** One version of the policy. */
export type PolicyVersion = Readonly<z.infer<typeof PolicyVersionSchema>>;

/** What is to become a version. */
export type PolicyProposal = Pick<PolicyVersion, 'text' | 'author' | 'reason'>;

/** The policy that comes with Holdfast. */
export const DEFAULT_POLICY: string = readPolicy('default.cedar');
/** The policy when the stored one cannot be used. */
export const RECOVERY_POLICY: string = readPolicy('recovery.cedar');

/** The versions that are kept: in memory, written through. */
export class PolicyVersions {
  readonly #clock: Clock;
  readonly #records: Collection<PolicyVersion>;
  /** Oldest first. */
  readonly #versions: PolicyVersion[];

  constructor(store: SealedStore, { clock }: { clock: Clock }) {
    this.#clock = clock;
    this.#records = store.collection('policy-version', PolicyVersionSchema);
    this.#versions = this.#records.all().sort((a, b) => a.number - b.number);
  }

  /** The newest version; undefined before the first start is through. */
  get current(): PolicyVersion | undefined {
    return this.#versions.at(-1);
  }

  byNumber(number: number): PolicyVersion | undefined {
    return this.#versions.find((version) => version.number === number);
  }

  /** Whether a version has a text that came with Holdfast: somebody may have gone back to it. */
  isShipped({ sha256 }: PolicyVersion): boolean {
    return this.#versions.some((each) => each.author === 'server' && each.sha256 === sha256);
  }

  /** A page, newest first: at most `limit`, of numbers below `before`. */
  page({
    limit,
    before = Infinity,
  }: {
    limit: number;
    before?: number | undefined;
  }): PolicyVersion[] {
    return this.#versions
      .filter(({ number }) => number < before)
      .reverse()
      .slice(0, limit);
  }

  /** What the next version will be; nothing is kept yet. */
  propose({ text, author, reason }: PolicyProposal): PolicyVersion {
    return {
      number: (this.current?.number ?? 0) + 1,
      text,
      sha256: textSha256(text),
      author,
      reason,
      atMs: this.#clock.nowMs(),
      schemaSha256: SCHEMA_SHA256,
    };
  }

  /** Keeps a version that was recorded. */
  keep(version: PolicyVersion): void {
    this.#records.write(`${version.number}`, version);
    this.#versions.push(version);
    const [oldest] = this.#versions;
    if (oldest === undefined || this.#versions.length <= POLICY_VERSIONS_MAX) return;
    this.#records.remove(`${oldest.number}`);
    this.#versions.shift();
  }
}

/** SHA-256 of a policy's text, lower-case hex. */
export function textSha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function readPolicy(name: string): string {
  return readFileSync(join(import.meta.dirname, name), 'utf8');
}
