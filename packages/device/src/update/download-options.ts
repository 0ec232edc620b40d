/** Where an image goes to, and who hears of it. @module */

/** Where an image is written to: the inactive slot. `openWritableFile` makes one of a path. */
export interface WritableFile {
  /** Bytes that are there now: after a kill, those of the interrupted download. */
  size(): Promise<number>;
  /** Up to `length` bytes from `position`; none at the end. */
  read(position: number, length: number): Promise<Uint8Array>;
  write(position: number, bytes: Uint8Array): Promise<void>;
  /** Makes it `length` bytes long. */
  truncate(length: number): Promise<void>;
  /** Makes it durable. */
  sync(): Promise<void>;
}

/** How to download. */
export interface DownloadOptions {
  readonly to: WritableFile;
  /** The running image, a file, to start a delta from. */
  readonly from?: { readonly path: string; readonly sha256: string } | undefined;
  readonly onProgress?: (progress: { readonly bytes: number; readonly length: number }) => void;
  readonly signal?: AbortSignal | undefined;
}
