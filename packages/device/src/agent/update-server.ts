/** What the agent says to the server, over the pinned connection of the device. @module */
import type { UpdateReport } from '@holdfast/firmware';
import { DeviceError } from '../device-error.ts';
import { type CallTarget, callPinned } from '../https-call.ts';
import { type GetDeps, boundedGet } from '../update/bounded-get.ts';
import { FieldError, Fields } from './fields.ts';
import { POLL_ANSWER_BYTES_MAX, POLL_S } from './limits.ts';

/** What is assigned to this device. */
export interface Assignment {
  /** Changes with what is assigned. */
  readonly revision: string;
  /** `<line>@<version>`; undefined when nothing is. */
  readonly release: string | undefined;
  /** When to ask again, in milliseconds. */
  readonly pollMs: number;
}

/** The server, as the agent sees it. Each answer comes over an authenticated connection. */
export interface UpdateServer {
  /** @returns undefined when nothing changed since the last answer */
  poll(signal?: AbortSignal): Promise<Assignment | undefined>;
  /**
   * Resolves when the server is there, and knows this device; also when it is too busy to say what
   * is assigned. Else a server that stumbles in the middle of a rollout would send the fleet back.
   */
  reach(signal: AbortSignal | undefined): Promise<void>;
  /** @returns whether the server took it; a report that it never takes is `refused` */
  report(report: UpdateReport): Promise<'taken' | 'refused'>;
}

/** The server over HTTPS: polls cost next to nothing as long as nothing changes. */
export class HttpsUpdateServer implements UpdateServer {
  readonly #deps: GetDeps;
  readonly #target: () => CallTarget;
  #etag: string | undefined;

  /** @param target - asked before each call: certificates are renewed, pins change */
  constructor(deps: GetDeps, target: () => CallTarget) {
    this.#deps = deps;
    this.#target = target;
  }

  async poll(signal?: AbortSignal): Promise<Assignment | undefined> {
    const { status, etag, text } = await this.#ask(signal);
    if (status === 304 && this.#etag !== undefined) return undefined;
    if (status !== 200) throw unexpected(`the poll with ${status}`);
    const assignment = readAssignment(text);
    this.#etag = etag;
    return assignment;
  }

  async reach(signal: AbortSignal | undefined): Promise<void> {
    const { status } = await this.#ask(signal);
    const isBusy = status === 429 || status >= 500;
    if (status !== 200 && status !== 304 && !isBusy) throw unexpected(`the poll with ${status}`);
  }

  async report(report: UpdateReport): Promise<'taken' | 'refused'> {
    const headers = { 'content-type': 'application/json' };
    const post = { body: JSON.stringify(report), headers };
    const { status } = await callPinned(this.#target(), { path: '/update/v1/report', post });
    if (status >= 200 && status < 300) return 'taken';
    // Sent again it would be refused again, and keep back all that come after it.
    if (status === 400 || status === 413 || status === 422) return 'refused';
    throw unexpected(`a report with ${status}`);
  }

  async #ask(signal: AbortSignal | undefined) {
    const asked = { path: POLL_PATH, ifNoneMatch: this.#etag, signal };
    const { status, etag, body } = await boundedGet(this.#deps, asked, Infinity);
    return { status, etag, text: await readText(body) };
  }
}

function readAssignment(text: string): Assignment {
  try {
    // Strict about what it knows only: a later server may say more.
    const fields = new Fields(JSON.parse(text));
    const release = fields.value('release');
    return {
      revision: fields.text('revision'),
      release: release === null ? undefined : fields.text('release', RELEASE),
      pollMs: fields.integer('pollS', POLL_S) * 1000,
    };
  } catch (cause) {
    if (!(cause instanceof FieldError || cause instanceof SyntaxError)) throw cause;
    throw unexpected('the poll with something else', cause);
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > POLL_ANSWER_BYTES_MAX) throw unexpected('the poll with too much');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unexpected(what: string, cause?: unknown): DeviceError {
  return new DeviceError('E_DEVICE_UPDATE_ANSWER', {
    message: `The server answered ${what}.`,
    fix: 'Look at the refusals on the server; they name the reason.',
    cause,
  });
}

const POLL_PATH = '/update/v1/poll';
const RELEASE = /^[0-9A-Za-z.+@-]{1,65}$/u;
