import { refuse } from '@holdfast/protocol';
/** The tree of the log as static tiles, for whoever wants to check that it only grows. @module */
import { TILE_WIDTH_MAX, parseTilePath } from '@holdfast/protocol/merkle';
import { z } from '@hono/zod-openapi';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { type Routes, text } from './routes.ts';

const PREFIX = '/v1/log/tile/';
/** Segments of the path behind the level: the position in groups of three digits, the width. */
const TILE_SEGMENTS = ['position', 'next', 'third', 'fourth', 'last'];
/** Full tiles never change; what is authenticated is for the cache of who asked alone. */
const FOREVER = 'private, max-age=31536000, immutable';

/**
 * Serves `checkpoint` and `tile/…` of C2SP tlog-tiles below `/v1/log`. `tile/entries/…` is not
 * served: entries are sealed, and whoever may read them has the other routes.
 */
export function addTileRoutes(routes: Routes, deps: ApiDeps): void {
  routes.add(
    { action: 'log:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/log/checkpoint',
      summary: 'Gives the newest signed checkpoint of the log (C2SP tlog-tiles).',
      responses: { 200: text('A signed note.') },
    },
    (c) => c.text(deps.checkpoint(), 200),
  );
  for (const [at] of TILE_SEGMENTS.entries()) addTileRoute(routes, deps, at + 1);
}

/** OpenAPI has no parameter with slashes: a route for each number of segments. */
function addTileRoute(routes: Routes, { tiles }: ApiDeps, count: number): void {
  const names = ['level', ...TILE_SEGMENTS.slice(0, count)];
  const path: `/${string}` = `${PREFIX}${names.map((name) => `{${name}}`).join('/')}`;
  const params = z.strictObject(Object.fromEntries(names.map((name) => [name, z.string().max(8)])));
  routes.add(
    { action: 'log:read', on: 'server' },
    {
      method: 'get',
      path,
      summary: 'Gives a tile of the tree: hashes only, and salted ones (C2SP tlog-tiles).',
      request: { params },
      responses: {
        200: { description: 'Hashes of 32 bytes.', content: { 'application/octet-stream': {} } },
      },
    },
    (c) => {
      const name = parseTilePath(c.req.path.slice(PREFIX.length));
      const hashes = name && tiles.read(name);
      if (name === undefined || hashes === undefined) {
        throw new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', 'The log has no such tile.'));
      }
      if (name.width === TILE_WIDTH_MAX) c.header('Cache-Control', FOREVER);
      return c.body(new Uint8Array(hashes).buffer, 200, {
        'content-type': 'application/octet-stream',
      });
    },
  );
}
