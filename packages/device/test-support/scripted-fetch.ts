import { DeviceError } from '../src/device-error.ts';
/** A server of files in memory that does what a test wants. @module */
import type { FetchAnswer, FetchPort, FetchRequest } from '../src/update/fetch-port.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What is done instead of answering with the file. */
export type Trick = (request: FetchRequest, file: Buffer) => FetchAnswer | Promise<FetchAnswer>;

/** Serves files with Range, If-Range and ETag. */
export class ScriptedFetch implements FetchPort {
  readonly files = new Map<string, Buffer>();
  /** By path. */
  readonly tricks = new Map<string, Trick>();
  readonly requests: FetchRequest[] = [];
  /** `Date` of the answers, in milliseconds since 1970. */
  dateMs: number | undefined;

  constructor(clock: VirtualClock) {
    this.dateMs = clock.nowMs();
  }

  async get(request: FetchRequest): Promise<FetchAnswer> {
    this.requests.push(request);
    request.signal?.throwIfAborted();
    const { dateMs } = this;
    const file = this.files.get(request.path);
    const trick = this.tricks.get(request.path);
    if (trick !== undefined) return { dateMs, ...(await trick(request, file ?? Buffer.of())) };
    if (file === undefined) return { status: 404, dateMs, body: chunks(Buffer.from('no')) };
    return { dateMs, ...fileAnswer(request, file) };
  }

  /** Requests of a path, as often as it was asked for. */
  countOf(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }
}

/** The answer of a server that does it right. */
export function fileAnswer(request: FetchRequest, file: Buffer): FetchAnswer {
  const { path, from, ifRange } = request;
  const etag = `"${path.slice(path.lastIndexOf('/') + 1)}"`;
  if (from === undefined || (ifRange !== undefined && ifRange !== etag)) {
    return { status: 200, etag, body: chunks(file) };
  }
  const contentRange = `bytes ${from}-${file.length - 1}/${file.length}`;
  return { status: 206, etag, contentRange, body: chunks(file.subarray(from)) };
}

export async function* chunks(bytes: Uint8Array, size = 16_384): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Gives some bytes and breaks off. */
export async function* cutAfter(bytes: Uint8Array, count: number): AsyncGenerator<Uint8Array> {
  yield* chunks(bytes.subarray(0, count));
  throw new DeviceError('E_DEVICE_CONNECTION', { message: 'cut', fix: 'none' });
}

/** Gives `bytesPerMinute` in each minute, moving the clock, and never ends by itself. */
export async function* drip(
  { clock, signal }: { clock: VirtualClock; signal: AbortSignal | undefined },
  bytesPerMinute: number,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield Buffer.alloc(bytesPerMinute);
    clock.advance(60_000);
    signal?.throwIfAborted();
  }
}
