/** One partition of a revocation list: its entries, encoded once. @module */
import { CRL_ENTRY_BYTES_MAX, type RevokedCertificate, writeCrlEntry } from './crl.ts';
import { CRL_LIFE_MS } from './limits.ts';

/** The entries of one partition. */
export class CrlPartition {
  readonly #entries = new Map<string, RevokedCertificate>();
  #bytes = Buffer.alloc(0);
  #length = 0;
  /** Whether the bytes hold the entries; what is new is put behind, all else writes them again. */
  #isWritten = true;
  #nextDropMs = Infinity;
  #revision = 0;

  /** Entries, also those that are about to be dropped. */
  get count(): number {
    return this.#entries.size;
  }

  /** Counts the changes. */
  get revision(): number {
    return this.#revision;
  }

  /** Adds or changes an entry. */
  put(entry: RevokedCertificate): void {
    const { serial, revokedAtMs, reason } = entry;
    const known = this.#entries.get(serial);
    if (known?.revokedAtMs === revokedAtMs && known.reason === reason) return;
    this.#entries.set(serial, entry);
    this.#nextDropMs = Math.min(this.#nextDropMs, dropMs(entry));
    this.#revision += 1;
    if (known !== undefined) this.#isWritten = false;
    else if (this.#isWritten) this.#append(entry);
  }

  /** Leaves out what has expired. To be called before {@link revision} and {@link bytes} count. */
  dropExpired(nowMs: number): void {
    if (nowMs < this.#nextDropMs) return;
    this.#nextDropMs = Infinity;
    for (const [serial, entry] of this.#entries) {
      if (dropMs(entry) <= nowMs) this.#entries.delete(serial);
      else this.#nextDropMs = Math.min(this.#nextDropMs, dropMs(entry));
    }
    this.#revision += 1;
    this.#isWritten = false;
  }

  /** The encoded entries: a view that is good until the next change. */
  bytes(): Uint8Array {
    if (!this.#isWritten) {
      this.#bytes = Buffer.allocUnsafeSlow(this.#entries.size * CRL_ENTRY_BYTES_MAX);
      this.#length = 0;
      for (const entry of this.#entries.values()) this.#append(entry);
      this.#isWritten = true;
    }
    return this.#bytes.subarray(0, this.#length);
  }

  #append(entry: RevokedCertificate): void {
    if (this.#length + CRL_ENTRY_BYTES_MAX > this.#bytes.length) {
      const room = 2 * this.#bytes.length + CRL_ENTRY_BYTES_MAX;
      const larger = Buffer.allocUnsafeSlow(room);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#length = writeCrlEntry(this.#bytes, this.#length, entry);
  }
}

/**
 * When an entry may go: it must have stood in one regular CRL after the end of the certificate.
 * RFC 5280 §3.3
 */
function dropMs({ notAfterMs }: RevokedCertificate): number {
  return notAfterMs + CRL_LIFE_MS;
}
