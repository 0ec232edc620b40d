/** `/update/v1/…`: what devices of ours fetch and report. @module */
import { createHash } from 'node:crypto';
import { UpdateReportSchema } from '@holdfast/firmware';
import { Refusal, refuse } from '@holdfast/protocol';
import { Hono } from 'hono';
import type { BodyReader } from '../../ingest/index.ts';
import type { Director, Releases, UpdateReports } from '../ports.ts';
import { type ArtifactDeps, answerArtifact } from './artifact-answer.ts';
import { fileOf, signatureOf } from './assigned-files.ts';
import { isNoneNew } from './byte-range.ts';
import { type DeviceContext, type DeviceDoor, type DeviceEnv, NEVER_KEPT } from './device-door.ts';
import { METADATA_NAME_CHARACTERS_MAX, REPORT_BYTES_MAX } from './limits.ts';
import { pollSeconds } from './poll-time.ts';
import { readJson, statusOf } from './read-json.ts';

/** What the routes need. */
export interface DeliveryDeps extends ArtifactDeps {
  readonly releases: Pick<Releases, 'artifact' | 'metadata'>;
  readonly director: Pick<Director, 'assigned' | 'revision' | 'metadata'>;
  readonly reports: Pick<UpdateReports, 'take'>;
  readonly door: DeviceDoor;
  readonly bodies: BodyReader;
}

/** The path of everything here. */
export const DELIVERY_PREFIX = '/update/v1/';

/** Poll, metadata, artifacts with their signatures, and reports. */
export function deliveryRoutes(deps: DeliveryDeps): Hono<DeviceEnv> {
  const { director, releases, door } = deps;
  const app = new Hono<DeviceEnv>().basePath('/update/v1');
  app.use('*', door.admitQuarantined);
  app.get('/poll', (c) => poll(c, director));
  app.get('/image/:name', (c) => metadata(c, (name) => releases.metadata(name)));
  app.get('/director/:name', (c) =>
    metadata(c, (name) => director.metadata(c.get('device'), name)),
  );
  app.get('/artifact/:file', (c) => artifact(c, deps));
  app.post('/report', async (c) => {
    const { bodies, reports } = deps;
    const source = { request: c.req.raw, bodies, bytesMax: REPORT_BYTES_MAX };
    const report = await readJson(source, UpdateReportSchema);
    if (report instanceof Refusal) {
      return door.refused(c, report, c.text('No such report.\n', statusOf(report), NEVER_KEPT));
    }
    await reports.take(c.get('device'), report);
    return c.body(null, 204, NEVER_KEPT);
  });
  app.all('/report', (c) => c.text('Use POST.\n', 405, { allow: 'POST' }));
  app.all('*', (c) =>
    isRead(c.req.method)
      ? absent(c)
      : c.text('Use GET.\n', 405, { ...NEVER_KEPT, allow: 'GET, HEAD' }),
  );
  return app;
}

/** Most polls cost a look-up of a name that the device knows already. */
function poll(c: DeviceContext, director: DeliveryDeps['director']): Response {
  const device = c.get('device');
  const revision = director.revision(device);
  const headers = { 'cache-control': 'no-cache', etag: `"${revision}"` };
  if (isNoneNew(c.req.header('if-none-match') ?? '', headers.etag)) {
    return c.body(null, 304, headers);
  }
  const release = director.assigned(device)?.id ?? null;
  return c.json({ revision, release, pollS: pollSeconds(device) }, 200, headers);
}

function metadata(c: DeviceContext, find: (name: string) => Uint8Array | undefined): Response {
  const name = c.req.param('name') ?? '';
  const isName = name.length <= METADATA_NAME_CHARACTERS_MAX && METADATA_NAME.test(name);
  const bytes = isName ? find(name) : undefined;
  // Whoever looks for the next root asks for one that is not there: that is no refusal.
  if (bytes === undefined) return absent(c);
  const etag = `"${createHash('sha256').update(bytes).digest('hex')}"`;
  const headers = { 'cache-control': 'no-cache', etag, 'content-type': 'application/json' };
  if (isNoneNew(c.req.header('if-none-match') ?? '', etag)) return c.body(null, 304, headers);
  return c.body(new Uint8Array(bytes), 200, headers);
}

function artifact(c: DeviceContext, deps: DeliveryDeps): Response | Promise<Response> {
  const [, sha256 = '', suffix] = ARTIFACT_NAME.exec(c.req.param('file') ?? '') ?? [];
  const release = deps.director.assigned(c.get('device'));
  if (suffix !== undefined) {
    const algorithm = c.req.query('algorithm');
    const signature = signatureOf(release, { sha256, algorithm });
    if (signature !== undefined) {
      const type = { 'content-type': 'application/octet-stream' };
      return c.body(signature, 200, { ...NEVER_KEPT, ...type });
    }
  }
  const file = suffix === undefined ? fileOf(release, sha256) : undefined;
  if (file !== undefined) return answerArtifact(c, file, deps);
  // One that does not exist is answered alike, after the same work.
  const detail = `it is to run ${release?.id ?? 'nothing else'}, of which this is no file`;
  return deps.door.refused(c, refuse('E_UPDATE_NOT_ASSIGNED', detail), absent(c));
}

/** What does not exist, and what is not for this device. */
export function absent(c: DeviceContext): Response {
  return c.text('There is no such thing.\n', 404, NEVER_KEPT);
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

const METADATA_NAME = /^[0-9a-zA-Z_-][0-9a-zA-Z._-]*\.json$/u;
const ARTIFACT_NAME = /^([0-9a-f]{64})(\.sig)?$/u;
