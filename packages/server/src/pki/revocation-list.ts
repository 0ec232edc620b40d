/** What one issuer has revoked, as CRLs: complete, and in partitions. @module */
import type { Clock } from '../kernel/index.ts';
import { CrlPartition } from './crl-partition.ts';
import { type RevokedCertificate, signCrl } from './crl.ts';
import { CRL_INTERVAL_MS, CRL_LIFE_MS, CRL_PARTITIONS, CRL_RENEWAL_MS } from './limits.ts';
import type { RevocationIssuer } from './revocation-issuer.ts';
import { crlPath, partitionOf } from './revocation-urls.ts';

/** A signed CRL. */
export interface Crl {
  readonly der: Uint8Array;
  /** cRLNumber. */
  readonly number: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** How many certificates it lists. */
  readonly count: number;
}

/** What a list needs. */
export interface RevocationListDeps {
  readonly issuer: RevocationIssuer;
  readonly clock: Clock;
  /** `https://host:port`, under which partitions are published. */
  readonly baseUrl: () => string;
}

/**
 * The revocation list of one issuer. A CRL is signed when it is asked for: when something has
 * changed, or the last one is an hour old; but each at most once a second.
 */
export class RevocationList {
  readonly issuer: RevocationIssuer;
  readonly #deps: RevocationListDeps;
  readonly #partitions = Array.from({ length: CRL_PARTITIONS }, () => new CrlPartition());
  /** By partition; the complete list is `ALL`. */
  readonly #issued = new Map<number, Crl & { readonly revision: number; readonly atMs: number }>();

  constructor(deps: RevocationListDeps) {
    this.issuer = deps.issuer;
    this.#deps = deps;
  }

  /** A certificate has ended; putting it again changes its entry. */
  put(certificate: RevokedCertificate): void {
    this.#partitions[partitionOf(certificate.serial)]?.put(certificate);
  }

  /** The complete list. */
  complete(): Crl {
    return this.#current(ALL, this.#partitions);
  }

  /** One partition, by its number. */
  partition(index: number): Crl | undefined {
    const partition = this.#partitions[index];
    return partition === undefined ? undefined : this.#current(index, [partition]);
  }

  #current(index: number, partitions: readonly CrlPartition[]): Crl {
    const nowMs = this.#deps.clock.nowMs();
    const kept = this.#issued.get(index);
    // A clock that was set back makes the age negative.
    const ageMs = kept === undefined ? -1 : nowMs - kept.atMs;
    if (kept !== undefined && ageMs >= 0 && ageMs < CRL_INTERVAL_MS) return kept;
    for (const partition of partitions) partition.dropExpired(nowMs);
    const revision = sumOf(partitions, (partition) => partition.revision);
    const isFresh = ageMs >= 0 && ageMs < CRL_RENEWAL_MS;
    if (kept !== undefined && isFresh && kept.revision === revision) return kept;
    // Larger than all before without being stored: the time, unless the clock was set back.
    const number = Math.max(nowMs, (kept?.number ?? 0) + 1);
    const issued = { ...this.#sign({ index, partitions, number, nowMs }), revision, atMs: nowMs };
    this.#issued.set(index, issued);
    return issued;
  }

  #sign(wanted: {
    index: number;
    partitions: readonly CrlPartition[];
    number: number;
    nowMs: number;
  }): Crl {
    const { index, partitions, number, nowMs } = wanted;
    const { issuer } = this;
    const thisUpdateMs = Math.floor(nowMs / 1_000) * 1_000;
    const nextUpdateMs = thisUpdateMs + CRL_LIFE_MS;
    const entries = partitions.map((partition) => partition.bytes());
    const path = crlPath({ issuer: issuer.label, partition: index });
    const partitionUrl = index === ALL ? undefined : this.#deps.baseUrl() + path;
    const content = { number, thisUpdateMs, nextUpdateMs, entries, partitionUrl };
    const der = signCrl(content, issuer);
    const count = sumOf(partitions, (partition) => partition.count);
    return { der, number, thisUpdateMs, nextUpdateMs, count };
  }
}

function sumOf(
  partitions: readonly CrlPartition[],
  read: (partition: CrlPartition) => number,
): number {
  return partitions.reduce((sum, partition) => sum + read(partition), 0);
}

const ALL = -1;
