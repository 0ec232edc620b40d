/** How much is downloaded at a time, and how fast. @module */
import type { ServerResponse } from 'node:http';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { CancelTimer, Clock } from '../../kernel/index.ts';
import {
  BURST_BYTES,
  DEVICE_BYTES_PER_SECOND,
  DOWNLOADS_MAX,
  DOWNLOADS_PER_DEVICE_MAX,
  STALL_MS_MAX,
  TOTAL_BYTES_PER_SECOND,
} from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Bytes a second. */
export interface UpdateRates {
  readonly totalBytesPerSecond?: number | undefined;
  readonly deviceBytesPerSecond?: number | undefined;
}

/** What one device downloads now. */
interface DeviceDownloads {
  readonly bucket: TokenBucket;
  /** Oldest first. */
  readonly open: Set<Download>;
  /** Whether a timer is to forget it. */
  isForgetting: boolean;
}

/** What was downloaded since the start, for the metrics. */
export interface DownloadCounts {
  readonly open: number;
  readonly bytes: number;
}

/** One answer on its way. */
export interface Download {
  /** Takes bytes that are to be sent next. @returns milliseconds to wait before that. */
  take(bytes: number): number;
  /** A piece was handed over: the peer has its time to take it. */
  sent(): void;
  /** The peer has taken it: the time until the next piece is ours. */
  moved(): void;
  /** Nothing more is sent. Calling it again does nothing. */
  end(): void;
  /** Breaks the connection off: the peer sees that something is missing. */
  cut(): void;
  /** True once it has ended, by whom ever. */
  readonly isOver: boolean;
}

/** The downloads of all devices. */
export class Downloads {
  readonly #clock: Clock;
  readonly #devicePerSecond: number;
  readonly #total: TokenBucket;
  readonly #byDevice = new Map<string, DeviceDownloads>();
  #open = 0;
  #bytes = 0;

  constructor(clock: Clock, rates: UpdateRates = {}) {
    this.#clock = clock;
    this.#devicePerSecond = rates.deviceBytesPerSecond ?? DEVICE_BYTES_PER_SECOND;
    const perSecond = rates.totalBytesPerSecond ?? TOTAL_BYTES_PER_SECOND;
    this.#total = new TokenBucket({ perSecond, burst: BURST_BYTES }, clock.monotonicMs());
  }

  get counts(): DownloadCounts {
    return { open: this.#open, bytes: this.#bytes };
  }

  /** Whether one more can begin: updates are better not offered than refused half-way. */
  get hasRoom(): boolean {
    return this.#open < DOWNLOADS_MAX;
  }

  /**
   * Lets a download begin. A peer that stops reading is cut off, and so is the oldest download of
   * a device that begins one too many. Refuses `E_UPDATE_BUSY` when all places are taken.
   */
  begin(device: string, response: Pick<ServerResponse, 'destroy' | 'once'>): Download | Refusal {
    const own = this.#byDevice.get(device) ?? this.#newDevice();
    const [oldest] = own.open;
    if (oldest !== undefined && own.open.size >= DOWNLOADS_PER_DEVICE_MAX) oldest.cut();
    if (!this.hasRoom)
      return refuse('E_UPDATE_BUSY', `${DOWNLOADS_MAX} downloads are on their way`);
    this.#byDevice.set(device, own);
    const download = new OpenDownload(this.#clock, {
      take: (bytes) => this.#take(own.bucket, bytes),
      onEnd: (unsent) => {
        own.open.delete(download);
        for (const bucket of [own.bucket, this.#total]) bucket.give(unsent);
        this.#bytes -= unsent;
        this.#open -= 1;
        this.#forgetLater(device, own);
      },
      cut: () => response.destroy(),
    });
    own.open.add(download);
    this.#open += 1;
    response.once('close', () => download.end());
    return download;
  }

  /** Cuts off all that a device downloads. */
  breakOff(device: string): void {
    for (const download of this.#byDevice.get(device)?.open ?? []) download.cut();
  }

  /** Its debt stays until it is paid: another request is no way around the rate. */
  #forgetLater(device: string, own: DeviceDownloads): void {
    const forget = (): void => {
      if (own.open.size > 0 || own.isForgetting) return;
      const leftMs = own.bucket.fullInMs(this.#clock.monotonicMs());
      if (leftMs === 0) {
        this.#byDevice.delete(device);
        return;
      }
      own.isForgetting = true;
      this.#clock.after(leftMs, () => {
        own.isForgetting = false;
        forget();
      });
    };
    forget();
  }

  #newDevice(): DeviceDownloads {
    const limits = { perSecond: this.#devicePerSecond, burst: BURST_BYTES };
    return {
      bucket: new TokenBucket(limits, this.#clock.monotonicMs()),
      open: new Set(),
      isForgetting: false,
    };
  }

  #take(bucket: TokenBucket, bytes: number): number {
    this.#bytes += bytes;
    const nowMs = this.#clock.monotonicMs();
    return Math.max(bucket.take(bytes, nowMs), this.#total.take(bytes, nowMs));
  }
}

interface DownloadParts {
  take(bytes: number): number;
  /** @param unsent - bytes that were taken, and never handed over. */
  onEnd(unsent: number): void;
  cut(): void;
}

class OpenDownload implements Download {
  readonly #clock: Clock;
  readonly #parts: DownloadParts;
  #cancel: CancelTimer = () => {};
  #isOver = false;
  /** Taken, and not handed over yet. */
  #unsent = 0;

  constructor(clock: Clock, parts: DownloadParts) {
    this.#clock = clock;
    this.#parts = parts;
    // An answer that waits behind another one on its connection is not even begun.
    this.sent();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  take(bytes: number): number {
    this.#unsent = bytes;
    return this.#parts.take(bytes);
  }

  sent(): void {
    this.#cancel();
    this.#unsent = 0;
    if (!this.#isOver) this.#cancel = this.#clock.after(STALL_MS_MAX, () => this.cut());
  }

  moved(): void {
    this.#cancel();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    this.#parts.onEnd(this.#unsent);
  }

  cut(): void {
    this.end();
    this.#parts.cut();
  }
}
