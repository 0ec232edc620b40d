/** Answers with the bytes of an artifact, whoever's protocol asked for it. @module */
import { Refusal } from '@holdfast/protocol';
import { type Clock, type Log, errorCode } from '../../kernel/index.ts';
import type { Releases } from '../ports.ts';
import { artifactBody } from './artifact-body.ts';
import { selectBytes } from './byte-range.ts';
import { type DeviceContext, type DeviceDoor, NEVER_KEPT } from './device-door.ts';
import type { Downloads } from './downloads.ts';
import { RETRY_AFTER_S } from './limits.ts';

/** What downloads need. */
export interface ArtifactDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly releases: Pick<Releases, 'artifact'>;
  readonly downloads: Downloads;
  readonly door: Pick<DeviceDoor, 'refused'>;
}

/**
 * Answers `GET` and `HEAD` with an artifact or the part of it that was asked for.
 * The caller has checked that this device may have it.
 */
export async function answerArtifact(
  c: DeviceContext,
  { sha256, length }: { readonly sha256: string; readonly length: number },
  deps: ArtifactDeps,
): Promise<Response> {
  const etag = `"${sha256}"`;
  const headers = { ...ALWAYS, etag };
  const asked = {
    // Of HEAD, a range means nothing. RFC 9110 §14.2
    range: c.req.method === 'HEAD' ? undefined : c.req.header('range'),
    ifRange: c.req.header('if-range'),
    ifNoneMatch: c.req.header('if-none-match'),
  };
  const { status, range } = selectBytes(asked, { length, etag });
  if (range === undefined) {
    const more = status === 416 ? { 'content-range': `bytes */${length}` } : {};
    return c.body(null, status, { ...headers, ...more });
  }
  const { start, end } = range;
  const more = status === 206 ? { 'content-range': `bytes ${start}-${end - 1}/${length}` } : {};
  const full = { ...headers, ...more, 'content-length': String(end - start) };
  if (c.req.method === 'HEAD') return c.body(null, status, full);
  const artifact = await deps.releases.artifact(sha256);
  if (artifact?.length !== length) throw new Error(`artifact ${sha256} is not as it was released`);
  const download = deps.downloads.begin(c.get('device'), c.env.outgoing);
  if (download instanceof Refusal) {
    const wait = { ...NEVER_KEPT, 'retry-after': String(RETRY_AFTER_S) };
    return deps.door.refused(c, download, c.text('Come back later.\n', 503, wait));
  }
  const { clock, log } = deps;
  const onFault = (error: unknown): void =>
    log.error(
      {
        'error.message': String(error),
        'error.code': errorCode(error),
        'file.hash.sha256': sha256,
      },
      'a download was broken off',
    );
  return c.body(artifactBody({ artifact, range, download, clock, onFault }), status, full);
}

/** No cache but the device's own: whether it may have the file is asked each time. */
const ALWAYS = {
  ...NEVER_KEPT,
  'accept-ranges': 'bytes',
  'content-type': 'application/octet-stream',
} as const;
