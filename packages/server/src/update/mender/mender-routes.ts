/**
 * Mender's interface for devices, `/api/devices/…`, for its client from 2.x to 5.x.
 * Who asks is known by the certificate; the token that Mender wants stands for it.
 * @see https://docs.mender.io/api/#device-apis
 * @module
 */
import { TLSSocket } from 'node:tls';
import type { UpdateReport, UpdateState } from '@holdfast/firmware';
import { type DeviceId, Refusal, refuse } from '@holdfast/protocol';
import { Hono } from 'hono';
import { type ZodType, z } from 'zod';
import type { BodyReader } from '../../ingest/index.ts';
import { DELIVERY_PREFIX } from '../delivery/delivery-routes.ts';
import type { Deployment, Deployments } from '../delivery/deployments.ts';
import {
  type DeviceContext,
  type DeviceDoor,
  type DeviceEnv,
  NEVER_KEPT,
} from '../delivery/device-door.ts';
import type { Downloads } from '../delivery/downloads.ts';
import { readJson, statusOf } from '../delivery/read-json.ts';
import type { Director, UpdateReports } from '../ports.ts';
import {
  AUTH_BYTES_MAX,
  INVENTORY_ATTRIBUTES_MAX,
  INVENTORY_BYTES_MAX,
  LOG_BYTES_MAX,
  QUESTION_BYTES_MAX,
} from './limits.ts';
import {
  AuthRequestSchema,
  type DeviceProvides,
  LogSchema,
  NextSchema,
  StatusSchema,
  WHY_CHARACTERS_MAX,
  hardwareOf,
  nextAnswer,
  reasonOf,
  stateOf,
} from './mender-words.ts';
import type { Tokens } from './tokens.ts';

/** What the routes need. */
export interface MenderDeps {
  readonly director: Pick<Director, 'assigned'>;
  readonly reports: Pick<UpdateReports, 'take'>;
  readonly deployments: Deployments;
  readonly downloads: Pick<Downloads, 'hasRoom'>;
  readonly tokens: Tokens;
  readonly door: DeviceDoor;
  readonly bodies: BodyReader;
}

/** The path of everything here. */
export const MENDER_PREFIX = '/api/devices/';

const AUTH = '/v1/authentication/auth_requests';
const DEPLOYMENTS = '/deployments/device/deployments';

/** The routes. */
export function menderRoutes(deps: MenderDeps): Hono<DeviceEnv> {
  const { door, tokens } = deps;
  const app = new Hono<DeviceEnv>().basePath('/api/devices');
  app.use('*', door.admit);
  app.post(AUTH, async (c) => {
    const body = await readBody(c, deps, { schema: AuthRequestSchema, bytesMax: AUTH_BYTES_MAX });
    if (body instanceof Response) return body;
    const token = tokens.issue(c.get('device'), socketOf(c));
    if (token === undefined) return failure(c, 401, 'unauthorized');
    return c.body(token, 200, { ...NEVER_KEPT, 'content-type': 'application/jwt' });
  });
  app.use('*', async (c, next) => {
    const authorization = c.req.header('authorization');
    if (tokens.isShown(authorization, c.get('device'), socketOf(c))) return next();
    const answer = failure(c, 401, 'unauthorized');
    // A client that has none yet asks first, and fetches one then.
    if (/^(Bearer\s*)?$/u.test(authorization ?? '')) return answer;
    const refusal = refuse('E_UPDATE_TOKEN', 'the token is not of this certificate');
    return door.refused(c, refusal, answer);
  });
  for (const version of ['/v1', '/v2'] as const) {
    app.post(`${version}${DEPLOYMENTS}/next`, async (c) => {
      const rule = { schema: NextSchema, bytesMax: QUESTION_BYTES_MAX };
      const provides = await readBody(c, deps, rule);
      return provides instanceof Response ? provides : next(c, provides, deps);
    });
  }
  app.get(`/v1${DEPLOYMENTS}/next`, (c) => {
    const [name, type] = [c.req.query('artifact_name'), c.req.query('device_type')];
    return next(c, { artifact_name: name, device_type: type }, deps);
  });
  app.put(`/v1${DEPLOYMENTS}/:number/status`, (c) => takeStatus(c, deps));
  app.put(`/v1${DEPLOYMENTS}/:number/log`, (c) => takeLog(c, deps));
  app.on(['PUT', 'PATCH'], '/v1/inventory/device/attributes', async (c) => {
    const rule = { schema: InventorySchema, bytesMax: INVENTORY_BYTES_MAX };
    const inventory = await readBody(c, deps, rule);
    if (inventory instanceof Response) return inventory;
    const type = inventory.find(({ name }) => name === 'device_type')?.value;
    await noteHardware(
      c.get('device'),
      { device_type: typeof type === 'string' ? type : '' },
      deps,
    );
    return c.body(null, 200, NEVER_KEPT);
  });
  app.all('*', (c) => failure(c, 404, 'not found'));
  return app;
}

async function next(
  c: DeviceContext,
  provides: DeviceProvides,
  deps: MenderDeps,
): Promise<Response> {
  const { deployments, director, reports, downloads } = deps;
  const device = c.get('device');
  await noteHardware(device, provides, deps);
  const current = deployments.current(device);
  const release = director.assigned(device);
  if (current === undefined || release === undefined) return c.body(null, 204, NEVER_KEPT);
  const hardware = hardwareOf(provides);
  if (provides.artifact_name === release.id && current.stage === 'offered') {
    const told = {
      release: release.id,
      state: 'confirmed',
      ...(hardware && { hardware }),
    } as const;
    await reports.take(device, told);
    deployments.close(device, current.number, { hasFailed: false });
    return c.body(null, 204, NEVER_KEPT);
  }
  if (current.stage === 'offered' && !downloads.hasRoom) return c.body(null, 204, NEVER_KEPT);
  deployments.begin(device, current.number);
  deployments.restart(device);
  const { origin } = new URL(c.req.url);
  const uri = `${origin}${DELIVERY_PREFIX}artifact/${release.sha256}`;
  return c.json(nextAnswer(current.number, release, uri), 200, NEVER_KEPT);
}

async function takeStatus(c: DeviceContext, deps: MenderDeps): Promise<Response> {
  const { deployments, reports } = deps;
  const rule = { schema: StatusSchema, bytesMax: QUESTION_BYTES_MAX };
  const status = await readBody(c, deps, rule);
  if (status instanceof Response) return status;
  const device = c.get('device');
  const number = numberOf(c);
  if (number === undefined || !deployments.hasGiven(device, number)) {
    return failure(c, 404, 'not found');
  }
  const state = stateOf(status);
  const isEnd = state === 'confirmed' || state === 'failed';
  const current = deployments.current(device);
  if (current?.number !== number) return endOfOther(c, deps, { number, isEnd });
  if (state === undefined || !deployments.advance(device, number, state)) return taken(c);
  const why = isEnd ? status.substate?.slice(0, WHY_CHARACTERS_MAX) : undefined;
  await reports.take(device, told(current, { device, state, why }, deps));
  if (isEnd) deployments.close(device, number, { hasFailed: state === 'failed' });
  return taken(c);
}

/** Something else is assigned now: the client gives up when it hears 409, and tells its end. */
function endOfOther(
  c: DeviceContext,
  { deployments }: MenderDeps,
  { number, isEnd }: { readonly number: number; readonly isEnd: boolean },
): Response {
  const device = c.get('device');
  const isStopping = deployments.stopping(device) === number;
  if (isEnd || isStopping) deployments.stopped(device, number);
  return isEnd ? taken(c) : failure(c, 409, 'aborted');
}

/** Comes after the status: tells why, which the status could not. */
async function takeLog(c: DeviceContext, deps: MenderDeps): Promise<Response> {
  const { deployments, reports } = deps;
  const device = c.get('device');
  const number = numberOf(c);
  if (number === undefined || !deployments.awaitsLog(device, number)) return taken(c);
  const log = await readBody(c, deps, { schema: LogSchema, bytesMax: LOG_BYTES_MAX });
  const isRead = !(log instanceof Response) || log.status === 400;
  if (isRead) deployments.noteLog(device, number);
  if (log instanceof Response) return log;
  const ended = deployments.lastOf(device);
  const why = reasonOf(log);
  if (why !== undefined && ended?.hasFailed === true && ended.number === number) {
    await reports.take(device, told(ended, { device, state: 'failed', why }, deps));
  }
  return taken(c);
}

/** With the hardware id that the device has told. */
function told(
  { release }: Pick<Deployment, 'release'>,
  { device, state, why }: { device: DeviceId; state: UpdateState; why?: string | undefined },
  { deployments }: MenderDeps,
): UpdateReport {
  const hardware = deployments.attributesOf(device) ?? '';
  return {
    release,
    state,
    ...(hardware !== '' && { hardware }),
    ...(why !== undefined && { why }),
  };
}

async function noteHardware(
  device: DeviceId,
  provides: DeviceProvides,
  { deployments, reports }: MenderDeps,
): Promise<void> {
  const hardware = hardwareOf(provides);
  if (hardware === undefined || deployments.attributesOf(device) === hardware) return;
  deployments.note(device, hardware);
  if (deployments.current(device) !== undefined) return;
  await reports.take(device, { release: '', state: 'idle', hardware });
}

async function readBody<T>(
  c: DeviceContext,
  { bodies, door }: MenderDeps,
  { schema, bytesMax }: { readonly schema: ZodType<T>; readonly bytesMax: number },
): Promise<T | Response> {
  const body = await readJson({ request: c.req.raw, bodies, bytesMax }, schema);
  if (!(body instanceof Refusal)) return body;
  return door.refused(c, body, failure(c, statusOf(body), 'not understood'));
}

function numberOf(c: DeviceContext): number | undefined {
  const text = c.req.param('number') ?? '';
  return /^[1-9]\d{0,9}$/u.test(text) ? Number(text) : undefined;
}

function socketOf(c: DeviceContext): TLSSocket {
  const { socket } = c.env.incoming;
  if (!(socket instanceof TLSSocket)) throw new TypeError('a device without TLS');
  return socket;
}

/** The client takes 204 and nothing else. */
function taken(c: DeviceContext): Response {
  return c.body(null, 204, NEVER_KEPT);
}

function failure(
  c: DeviceContext,
  status: 400 | 401 | 404 | 409 | 413 | 503,
  error: string,
): Response {
  return c.json({ error }, status, NEVER_KEPT);
}

const InventorySchema = z
  .array(z.object({ name: z.string().max(256), value: z.unknown() }))
  .max(INVENTORY_ATTRIBUTES_MAX);
