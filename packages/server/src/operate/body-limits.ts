/** How large the body of a request may be. @module */
import { refuse } from '@holdfast/protocol';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { UPLOAD_PART_BYTES_MAX } from '../update/index.ts';
import { RefusedRequest } from './errors.ts';
import { BODY_BYTES_MAX, SIGNING_BODY_BYTES_MAX } from './limits.ts';

const LARGE: readonly { readonly path: RegExp; readonly bytesMax: number }[] = [
  { path: /^\/v1\/firmware\/uploads\/[0-9a-f]+$/u, bytesMax: UPLOAD_PART_BYTES_MAX },
  { path: /^\/v1\/firmware\/requests$/u, bytesMax: SIGNING_BODY_BYTES_MAX },
];

const usual = bodyLimit({
  maxSize: BODY_BYTES_MAX,
  onError: () => {
    throw tooLarge(BODY_BYTES_MAX);
  },
});

/**
 * Refuses a body that is too large. One that may be larger than usual says its length: else it would
 * be read, to be measured, before it is known whose it is.
 */
export const limitBody: MiddlewareHandler = async (c, next) => {
  const bytesMax = LARGE.find(({ path }) => path.test(c.req.path))?.bytesMax ?? BODY_BYTES_MAX;
  const length = c.req.header('content-length');
  const isChunked = c.req.header('transfer-encoding') !== undefined;
  if (bytesMax === BODY_BYTES_MAX || length === undefined || isChunked) return usual(c, next);
  if (!(Number(length) <= bytesMax)) throw tooLarge(bytesMax);
  return next();
};

function tooLarge(bytesMax: number): RefusedRequest {
  return new RefusedRequest(refuse('E_OPERATE_SIZE', `At most ${bytesMax} bytes.`));
}
