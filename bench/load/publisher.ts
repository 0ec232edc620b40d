/** One device that publishes frames made before. @module */
import type { Member } from '../fleet/fleet.ts';
import { TYPE } from './frames.ts';
import { type Address, Link, RECORD_OVERHEAD_BYTES } from './link.ts';
import { type FrameSlab, type SlabOptions, levelOf, makeSlab } from './messages.ts';

/** What a publisher is made of. */
export interface PublisherOptions extends SlabOptions {
  readonly member: Member;
  readonly address: Address;
  /** Messages without their PUBACK; has no meaning at QoS 0. */
  readonly inFlightMax: number;
  readonly onAcknowledged: () => void;
}

/** A device: at most one frame at a time on its socket, so that each is a TLS record. */
export class Publisher {
  readonly place: number;
  readonly #options: PublisherOptions;
  readonly #slab: FrameSlab;
  #link: Link | undefined;
  #recordBytesAtStart: number | undefined;
  #acknowledged = 0;
  sent = 0;
  /** PUBACKs that report an error. */
  refused = 0;

  constructor(options: PublisherOptions) {
    this.place = options.place;
    this.#options = options;
    this.#slab = makeSlab(options.member, options);
  }

  /** Makes the connection. */
  open(): Link {
    const { member, address, form, onAcknowledged } = this.#options;
    this.#link = new Link({
      member,
      address,
      level: levelOf(form),
      take: (first, bytes, start, end) => {
        if (first >> 4 !== TYPE.puback) return;
        if (end - start > 2 && (bytes[start + 2] ?? 0) >= 0x80) this.refused += 1;
        this.#acknowledged += 1;
        onAcknowledged();
      },
    });
    return this.#link;
  }

  get isExhausted(): boolean {
    return this.sent === this.#slab.count;
  }

  get canSend(): boolean {
    const { qos, inFlightMax } = this.#options;
    if (this.isExhausted || this.#link?.isIdle !== true || !this.#link.isOpen) return false;
    return qos === 0 || this.sent - this.#acknowledged < inFlightMax;
  }

  /** Sends the next message, in a TLS record of its own. */
  send(): void {
    const { bytes, frameBytes } = this.#slab;
    this.#recordBytesAtStart ??= this.#link?.recordBytes;
    const at = this.sent * frameBytes;
    this.sent += 1;
    this.#link?.writeRecord(bytes.subarray(at, at + frameBytes));
  }

  /** How many messages shared a TLS record with another; undefined when Node does not tell. */
  get recordsShared(): number | undefined {
    const now = this.#link?.recordBytes;
    if (this.sent === 0) return 0;
    if (now === undefined || this.#recordBytesAtStart === undefined) return undefined;
    const overhead = now - this.#recordBytesAtStart - this.sent * this.#slab.frameBytes;
    return this.sent - overhead / RECORD_OVERHEAD_BYTES;
  }

  get problem(): string | undefined {
    if (this.refused > 0) return `${this.#options.member.id}: ${this.refused} refused by PUBACK`;
    return this.#link?.problem;
  }

  async close(): Promise<void> {
    await this.#link?.end();
  }
}
