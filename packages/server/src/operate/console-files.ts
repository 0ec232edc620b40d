/** The web console: files that were built, from memory, under the strictest policy that pages have. @module */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Context } from 'hono';
import type { ApiEnv } from './deps.ts';
import { CONSOLE_PIECE_BYTES } from './limits.ts';

/**
 * A page runs its own scripts and asks its own server, and that is all. Text becomes code nowhere
 * (Trusted Types), and no script may make a policy that says otherwise.
 */
export const CONSOLE_CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ["'self'", 'data:', 'blob:'],
  workerSrc: ["'self'"],
  manifestSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"],
};

interface ConsoleFile {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
  /** Its name changes with its content. */
  readonly isForever: boolean;
  /** Made when somebody asks for it first. */
  compressed: Promise<Buffer<ArrayBuffer>> | undefined;
}

/** The files of the console. */
export class ConsoleFiles {
  readonly #files = new Map<string, ConsoleFile>();

  /** @param folder - what the build wrote; without it every page says how to build it. */
  constructor(folder: string) {
    for (const name of existsSync(folder) ? filesBelow(folder) : []) {
      const bytes = contentOf(join(folder, name));
      // A build that runs right now has removed it.
      if (bytes === undefined) continue;
      this.#files.set(`/${name}`, {
        bytes,
        type: TYPES[extname(name)] ?? 'application/octet-stream',
        etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
        isForever: name.startsWith('assets/'),
        compressed: undefined,
      });
    }
  }

  /** Whether a request is for the console, so that the policy of pages holds for its answer. */
  has(c: Context<ApiEnv>): boolean {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return false;
    return this.#files.has(c.req.path) || isPage(c);
  }

  /** Answers a request that {@link has} accepts. */
  async answer(c: Context<ApiEnv>): Promise<Response> {
    const name = this.#files.has(c.req.path) ? c.req.path : pageOf(c.req.path);
    const file = this.#files.get(name);
    if (file === undefined) return c.text(NOT_BUILT, 503);
    const headers: Record<string, string> = {
      'content-type': file.type,
      'cache-control': file.isForever ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag: file.etag,
      vary: 'Accept-Encoding',
      'permissions-policy': `camera=${name === OWNER_PAGE ? '(self)' : '()'}, microphone=(), geolocation=()`,
    };
    if (c.req.header('if-none-match') === file.etag) return c.body(null, 304, headers);
    const isCompressed = /\bgzip\b/u.test(c.req.header('accept-encoding') ?? '');
    if (!isCompressed || !COMPRESSIBLE.test(file.type)) return send(c, file.bytes, headers);
    file.compressed ??= compress(file.bytes, { level: constants.Z_BEST_COMPRESSION });
    return send(c, await file.compressed, { ...headers, 'content-encoding': 'gzip' });
  }
}

const compress = promisify(gzip);
const OWNER_PAGE = '/app.html';
/**
 * Paths of the API, and files at the top; the id of a device may have a dot in it. Whoever watches
 * the health of the server may ask as a browser does, and must not hear that a page is well.
 */
const NO_PAGE = /^\/(?:v1|tile|assets)\/|^\/(?:healthz|readyz|metrics)$|^\/[^/]*\.[a-z]+$/u;
const NOT_BUILT = 'The console has not been built. Run: npm run build\n';
const COMPRESSIBLE = /^(?:text|application\/(?:json|manifest)|image\/svg)/u;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

/** What a browser navigates to, and no path of the API: the page itself knows what to show there. */
function isPage(c: Context<ApiEnv>): boolean {
  const accept = c.req.header('accept') ?? '';
  return accept.includes('text/html') && !NO_PAGE.test(c.req.path);
}

function pageOf(path: string): string {
  return path === '/app' || path.startsWith('/app/') ? OWNER_PAGE : '/index.html';
}

function send(
  c: Context<ApiEnv>,
  bytes: Buffer<ArrayBuffer>,
  headers: Record<string, string>,
): Response {
  const all = { ...headers, 'content-length': String(bytes.length) };
  if (c.req.method === 'HEAD') return c.body(null, 200, all);
  return c.body(inPieces(bytes), 200, all);
}

/** Whoever does not read what they asked for takes no memory: no piece is made before it can go. */
function inPieces(bytes: Buffer<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const piece = bytes.subarray(at, at + CONSOLE_PIECE_BYTES);
        at += piece.length;
        if (piece.length > 0) controller.enqueue(piece);
        if (at >= bytes.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

function contentOf(path: string): Buffer<ArrayBuffer> | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
