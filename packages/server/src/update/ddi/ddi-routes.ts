/**
 * hawkBit's Direct Device Integration: `/{tenant}/controller/v1/{device}/…`, for SWUpdate, RAUC's
 * hawkBit updater and Zephyr. Who asks is known by the certificate; the path only has to agree.
 * @see https://eclipse.dev/hawkbit/apis/ddi_api/
 * @module
 */
import type { UpdateReport } from '@holdfast/firmware';
import { type DeviceId, Refusal, refuse } from '@holdfast/protocol';
import { Hono } from 'hono';
import type { BodyReader } from '../../ingest/index.ts';
import { type ArtifactDeps, answerArtifact } from '../delivery/artifact-answer.ts';
import type { Deployments } from '../delivery/deployments.ts';
import {
  type DeviceContext,
  type DeviceDoor,
  type DeviceEnv,
  NEVER_KEPT,
} from '../delivery/device-door.ts';
import { pollSeconds } from '../delivery/poll-time.ts';
import { readJson, statusOf } from '../delivery/read-json.ts';
import type { Director, UpdateReports } from '../ports.ts';
import type { Checksums } from './checksums.ts';
import {
  type DeviceUrl,
  baseAnswer,
  cancelAnswer,
  deploymentAnswer,
  fileNameOf,
} from './deployment-base.ts';
import { ConfigDataSchema, FeedbackSchema, hardwareOf, outcomeOf } from './feedback.ts';
import { FEEDBACK_BYTES_MAX, SOON_S } from './limits.ts';

/** What the routes need. */
export interface DdiDeps extends ArtifactDeps {
  readonly tenant: string;
  readonly director: Pick<Director, 'assigned'>;
  readonly reports: Pick<UpdateReports, 'take'>;
  readonly deployments: Deployments;
  readonly checksums: Checksums;
  readonly door: DeviceDoor;
  readonly bodies: BodyReader;
}

/** Whether a path is one of hawkBit's. */
export function isDdiPath(path: string): boolean {
  return /^\/[^/]+\/controller\/v1\//u.test(path);
}

/** The routes. */
export function ddiRoutes(deps: DdiDeps): Hono<DeviceEnv> {
  const { door, deployments, director, tenant } = deps;
  const app = new Hono<DeviceEnv>().basePath('/:tenant/controller/v1/:device');
  app.use('*', door.admit);
  app.use('*', async (c, next) => {
    const device = c.get('device');
    const named = { tenant: c.req.param('tenant') ?? '', device: c.req.param('device') ?? '' };
    // Clients are delivered with the tenant in capitals, and Zephyr takes no other.
    const isOwn = named.device === device && named.tenant.toLowerCase() === tenant;
    if (isOwn) return next();
    const detail = `its certificate is of ${device}, the path names ${named.tenant}/${named.device}`;
    return door.refused(c, refuse('E_UPDATE_IDENTITY', detail.slice(0, 256)), absent(c));
  });

  app.get('/', (c) => {
    const device = c.get('device');
    const current = deployments.current(device);
    const isServed = current?.stage === 'begun' || deps.downloads.hasRoom;
    const asksAttributes = deployments.attributesOf(device) === undefined;
    // SWUpdate says what it is, and sleeps before it looks at what it is to install.
    const isSoon = asksAttributes && current?.stage === 'offered';
    const answer = baseAnswer(deviceUrl(c), {
      pollS: isSoon ? SOON_S : pollSeconds(device),
      install: isServed ? current?.number : undefined,
      stop: deployments.stopping(device),
      asksAttributes,
    });
    return c.json(answer, 200, NEVER_KEPT);
  });
  app.get('/deploymentBase/:number', async (c) => {
    const offered = offer(c, deps);
    if (offered === undefined) return absent(c);
    const { release, number } = offered;
    const sums = await deps.checksums.of(release.sha256);
    deployments.begin(c.get('device'), number);
    deployments.restart(c.get('device'));
    return c.json(deploymentAnswer(deviceUrl(c), { number, release, sums }), 200, NEVER_KEPT);
  });
  app.post('/deploymentBase/:number/feedback', (c) => takeFeedback(c, deps));
  app.get('/softwaremodules/:number/artifacts/:file', async (c) => {
    const offered = offer(c, deps);
    const file = c.req.param('file');
    if (offered !== undefined) {
      const { release } = offered;
      const name = fileNameOf(release);
      if (file === name) return answerArtifact(c, release, deps);
      if (file === `${name}.MD5SUM`) {
        const { md5 } = await deps.checksums.of(release.sha256);
        return c.text(`${md5}  ${name}\n`, 200, NEVER_KEPT);
      }
    }
    const detail = `it is to run ${director.assigned(c.get('device'))?.id ?? 'nothing else'}`;
    return door.refused(c, refuse('E_UPDATE_NOT_ASSIGNED', detail), absent(c));
  });
  app.get('/cancelAction/:number', (c) => {
    const stop = deployments.stopping(c.get('device'));
    const isIt = stop !== undefined && stop === numberOf(c);
    return isIt ? c.json(cancelAnswer(stop), 200, NEVER_KEPT) : absent(c);
  });
  app.post('/cancelAction/:number/feedback', (c) => takeCancelFeedback(c, deps));
  app.put('/configData', (c) => takeAttributes(c, deps));
  app.all('*', (c) => absent(c));
  return app;
}

/** What this device is to install, if the number in the path is that of it. */
function offer(c: DeviceContext, { deployments, director }: DdiDeps) {
  const device = c.get('device');
  const current = deployments.current(device);
  const release = director.assigned(device);
  if (current === undefined || release === undefined) return undefined;
  return current.number === numberOf(c) ? { number: current.number, release } : undefined;
}

async function takeFeedback(c: DeviceContext, deps: DdiDeps): Promise<Response> {
  const { deployments, door } = deps;
  const device = c.get('device');
  const number = numberOf(c);
  const feedback = await readBody(c, deps, FeedbackSchema);
  if (feedback instanceof Response) return feedback;
  if (number === undefined || !deployments.hasGiven(device, number)) return absent(c);
  const outcome = outcomeOf(feedback);
  if (outcome === 'malformed') {
    const refusal = refuse('E_UPDATE_INPUT', 'closed, with neither success nor failure');
    return door.refused(c, refusal, c.text('No such feedback.\n', 400, NEVER_KEPT));
  }
  const current = deployments.current(device);
  // What is said twice, or of what is over, is heard and changes nothing: the client goes on.
  if (current?.number !== number || outcome === undefined) return taken(c);
  if (!deployments.advance(device, number, outcome.state)) return taken(c);
  await report(device, { release: current.release, ...outcome }, deps);
  if (outcome.state === 'confirmed' || outcome.state === 'failed') {
    deployments.close(device, number, { hasFailed: outcome.state === 'failed' });
  } else deployments.begin(device, number);
  return taken(c);
}

async function takeCancelFeedback(c: DeviceContext, deps: DdiDeps): Promise<Response> {
  const feedback = await readBody(c, deps, FeedbackSchema);
  if (feedback instanceof Response) return feedback;
  const number = numberOf(c);
  const { execution } = feedback.status;
  // One that cannot stop any more says so, and comes to its end by itself.
  const hasHeard = execution === 'closed' || execution === 'canceled' || execution === 'rejected';
  if (number !== undefined && hasHeard) deps.deployments.stopped(c.get('device'), number);
  return taken(c);
}

async function takeAttributes(c: DeviceContext, deps: DdiDeps): Promise<Response> {
  const config = await readBody(c, deps, ConfigDataSchema);
  if (config instanceof Response) return config;
  const device = c.get('device');
  const hardware = hardwareOf(config.data);
  deps.deployments.note(device, hardware ?? '');
  if (hardware !== undefined && deps.deployments.current(device) === undefined) {
    await deps.reports.take(device, { release: '', state: 'idle', hardware });
  }
  return taken(c);
}

/** With the hardware id that the device has told. */
function report(
  device: DeviceId,
  told: UpdateReport,
  { reports, deployments }: DdiDeps,
): Promise<void> {
  const hardware = deployments.attributesOf(device) ?? '';
  return reports.take(device, { ...told, ...(hardware !== '' && { hardware }) });
}

async function readBody<T>(
  c: DeviceContext,
  { bodies, door }: DdiDeps,
  schema: Parameters<typeof readJson<T>>[1],
): Promise<T | Response> {
  const source = { request: c.req.raw, bodies, bytesMax: FEEDBACK_BYTES_MAX };
  const body = await readJson(source, schema);
  if (!(body instanceof Refusal)) return body;
  return door.refused(c, body, c.text('No such feedback.\n', statusOf(body), NEVER_KEPT));
}

function numberOf(c: DeviceContext): number | undefined {
  const text = c.req.param('number') ?? '';
  return /^[1-9]\d{0,9}$/u.test(text) ? Number(text) : undefined;
}

/** As the device reached us: behind whatever name and port that is. */
function deviceUrl(c: DeviceContext): DeviceUrl {
  const { origin } = new URL(c.req.url);
  return `${origin}/${c.req.param('tenant') ?? ''}/controller/v1/${c.get('device')}`;
}

/** RAUC's updater takes 200 and nothing else. */
function taken(c: DeviceContext): Response {
  return c.json({}, 200, NEVER_KEPT);
}

function absent(c: DeviceContext): Response {
  return c.text('There is no such thing.\n', 404, NEVER_KEPT);
}
