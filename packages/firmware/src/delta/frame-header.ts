/** Reads the header of a zstd frame, before anything is decompressed. @see RFC 8878 §3.1.1.1 @module */
import { refuse } from '@holdfast/protocol';
import type { Refusal } from '@holdfast/protocol';

/** What the header of a frame says of what follows. */
export interface FrameHeader {
  /** Bytes that a decoder has to keep. */
  readonly window: number;
  /** Length of the decompressed content in bytes. */
  readonly contentLength: number;
}

/** Bytes of the longest header: magic, descriptor, window, dictionary id, content length. */
export const FRAME_HEADER_BYTES_MAX = 18;

/**
 * Reads a frame header. A delta must tell its content's length and name no dictionary: the old
 * image has no id.
 * @param bytes - the beginning of the frame; {@link FRAME_HEADER_BYTES_MAX} are always enough
 */
export function readFrameHeader(bytes: Uint8Array): FrameHeader | Refusal {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || view.getUint32(0, true) !== MAGIC) {
    return refuse('E_UPDATE_DELTA', 'The delta does not begin with a zstd frame.');
  }
  const descriptor = view.getUint8(4);
  const isSingle = (descriptor & SINGLE_SEGMENT) !== 0;
  if ((descriptor & RESERVED) !== 0 || (descriptor & DICTIONARY_ID) !== 0) {
    return refuse('E_UPDATE_DELTA', 'The frame of the delta needs what no delta has.');
  }
  const lengthBytes = descriptor >> 6 === 0 ? Number(isSingle) : 2 ** (descriptor >> 6);
  if (lengthBytes === 0) {
    return refuse('E_UPDATE_DELTA', 'The delta does not say how long the image becomes.');
  }
  const at = isSingle ? 5 : 6;
  if (bytes.length < at + lengthBytes) {
    return refuse('E_UPDATE_DELTA', 'The delta ends within its header.');
  }
  const contentLength = readLength(view, at, lengthBytes);
  const window = isSingle ? contentLength : windowOf(view.getUint8(5));
  return { window, contentLength };
}

/** Two bytes count from 256 on; lengths beyond 2^53 come out inexact, and far too large. */
function readLength(view: DataView, at: number, lengthBytes: number): number {
  if (lengthBytes === 1) return view.getUint8(at);
  if (lengthBytes === 2) return view.getUint16(at, true) + 256;
  const low = view.getUint32(at, true);
  return lengthBytes === 4 ? low : low + view.getUint32(at + 4, true) * 2 ** 32;
}

function windowOf(descriptor: number): number {
  const base = 2 ** (WINDOW_LOG_BASE + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

const MAGIC = 0xfd2fb528;
const SINGLE_SEGMENT = 0x20;
const RESERVED = 0x08;
const DICTIONARY_ID = 0x03;
const WINDOW_LOG_BASE = 10;
