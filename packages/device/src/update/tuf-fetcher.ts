/** How tuf-js gets its files here: bounded, never redirected, and with errors that say what. @module */
import { METADATA_BYTES_MAX, kindOfRole } from '@holdfast/firmware';
import { BaseFetcher } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { type BoundedAnswer, type GetDeps, boundedGet } from './bounded-get.ts';
import { UPDATE_REFUSAL_BYTES_MAX } from './limits.ts';
import { updateError } from './update-error.ts';

/** Looks at a file before tuf-js does. @throws DeviceError when it is not for this device. */
export type AcceptMetadata = (role: string, bytes: Uint8Array) => void;

/** Fetches what one update of the metadata needs. */
export class TufFetcher extends BaseFetcher {
  /** What the last fetch failed of: tuf-js wraps it, and loses what it was. */
  problem: unknown;
  /** Name of the last file that came. */
  lastFile = 'root.json';
  /** Clock of the server at the last answer, in milliseconds since 1970. */
  serverMs: number | undefined;
  readonly #deps: GetDeps;
  readonly #accept: AcceptMetadata;

  constructor(deps: GetDeps, accept: AcceptMetadata) {
    super();
    this.#deps = deps;
    this.#accept = accept;
  }

  /** A metadata file, in memory: its size is limited by its role, whatever its parent says. */
  override async downloadBytes(url: string, maxLength: number): Promise<Buffer> {
    const { pathname } = new URL(url);
    this.lastFile = decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1));
    const role = this.lastFile.replace(/^\d+\.(?=.)/u, '').replace(/\.json$/u, '');
    const most = Math.min(maxLength, METADATA_BYTES_MAX[kindOfRole(role) ?? 'targets']);
    try {
      const chunks = await Array.fromAsync((await this.#get(pathname, most)).body);
      const bytes = Buffer.concat(chunks);
      this.#accept(role, bytes);
      return bytes;
    } catch (error) {
      // No such root is how tuf-js learns that it has the newest one.
      if (!(error instanceof DownloadHTTPError) || role !== 'root') this.problem = error;
      throw error;
    }
  }

  async fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const { body } = await this.#get(new URL(url).pathname, Infinity);
    return ReadableStream.from(ownBytes(body));
  }

  async #get(path: string, lengthMax: number): Promise<BoundedAnswer> {
    const answer = await boundedGet(this.#deps, { path }, lengthMax);
    this.serverMs = answer.dateMs ?? this.serverMs;
    if (answer.status === 200) return answer;
    await drain(answer);
    if (answer.status !== 404) throw answerError(path, answer.status);
    throw new DownloadHTTPError(answerError(path, answer.status).message, answer.status);
  }
}

/** Reads what nobody wants, so that the connection can be used again; not if it is long. */
export async function drain({ body, close }: BoundedAnswer): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > UPDATE_REFUSAL_BYTES_MAX) break;
  }
  close();
}

/** An answer with another status than 200; redirects are among them, and never followed. */
export function answerError(path: string, status: number): Error {
  return updateError('E_DEVICE_UPDATE_ANSWER', `${path} is answered with ${status}`);
}

async function* ownBytes(body: AsyncIterable<Uint8Array>) {
  for await (const chunk of body) yield Uint8Array.from(chunk);
}
