/** What happened to one device: acts on it, commands to it, its connections. @module */
import {
  DeviceActListSchema,
  type DeviceActView,
  DeviceCommandListSchema,
  type DeviceCommandView,
  DeviceHistoryQuerySchema,
  DevicePathSchema,
  type DeviceSessions,
  DeviceSessionsSchema,
} from '@holdfast/protocol/api';
import type { ActRecord, SentCommand } from '../telemetry/index.ts';
import type { ApiDeps } from './deps.ts';
import { DeviceFactsReader } from './device-facts.ts';
import { COMMAND_LIST_LOOKS, ENDED_CONNECTIONS_SHOWN } from './limits.ts';
import { type Routes, json } from './routes.ts';
import { isoTime } from './views.ts';

const reads = { action: 'device:read', on: 'device' } as const;
const history = { params: DevicePathSchema, query: DeviceHistoryQuerySchema };

export function addDeviceHistoryRoutes(routes: Routes, deps: ApiDeps): void {
  routes.add(
    reads,
    {
      method: 'get',
      path: '/v1/devices/{id}/acts',
      summary: 'Reads what was done to a device, and by whom, newest first.',
      request: history,
      responses: { 200: json(DeviceActListSchema, 'A page of acts.') },
    },
    async (c) => {
      const { acts, next } = await deps.targetActs.of(c.get('device').id, c.req.valid('query'));
      return c.json({ acts: acts.map(actView), ...(next !== undefined && { next }) }, 200);
    },
  );

  routes.add(
    reads,
    {
      method: 'get',
      path: '/v1/devices/{id}/commands',
      summary: 'Reads the commands to a device with its answers, newest first.',
      request: history,
      responses: { 200: json(DeviceCommandListSchema, 'A page of commands.') },
    },
    async (c) => {
      routes.takeLooks(c, COMMAND_LIST_LOOKS);
      const page = await deps.deviceCommands(c.get('device').id, c.req.valid('query'));
      const { commands, next } = page;
      const views = commands.map(commandView);
      return c.json({ commands: views, ...(next !== undefined && { next }) }, 200);
    },
  );

  routes.add(
    reads,
    {
      method: 'get',
      path: '/v1/devices/{id}/sessions',
      summary: 'Shows how a device is connected, what waits for it, and its connections before.',
      request: { params: DevicePathSchema },
      responses: { 200: json(DeviceSessionsSchema, 'As it is now.') },
    },
    (c) => c.json(sessionsOf(c.get('device').id, deps), 200),
  );
}

function actView({ atMs, action, target: _target, ...act }: ActRecord): DeviceActView {
  const before = textIn(act.facts, 'stateBefore');
  const after = textIn(act.facts, 'stateAfter') ?? STATE_AFTER.get(action);
  return {
    ...act,
    action,
    at: isoTime(atMs),
    ...(before !== undefined && { before }),
    ...(before !== undefined && after !== undefined && { after }),
  };
}

/** Acts whose outcome goes without saying, so that the log does not say it. */
const STATE_AFTER: ReadonlyMap<string, string> = new Map([['device.activate', 'active']]);

function textIn(
  facts: Readonly<Record<string, unknown>> | undefined,
  name: string,
): string | undefined {
  const value = facts?.[name];
  return typeof value === 'string' ? value : undefined;
}

function commandView({ atMs, principal: by, ack, ...command }: SentCommand): DeviceCommandView {
  const view = { ...command, at: isoTime(atMs), by };
  if (ack === undefined) return view;
  const { atMs: ackMs, ...answer } = ack;
  return { ...view, ack: { ...answer, at: isoTime(ackMs) } };
}

function sessionsOf(id: string, deps: ApiDeps): DeviceSessions {
  const { sessions } = deps;
  const facts = new DeviceFactsReader(deps);
  const seenMs = facts.seenMs(id);
  const connection = sessions.connectionOf(id);
  const session = sessions.sessionOf(id);
  const previous = sessions.endedOf(id, ENDED_CONNECTIONS_SHOWN);
  return {
    online: facts.isOnline(id),
    ...(seenMs !== undefined && { lastSeen: isoTime(seenMs) }),
    ...(connection && { connection: connectionView(connection) }),
    ...(session && { session: { ...session, subscriptions: [...session.subscriptions] } }),
    previous: previous.map(({ address, sinceMs, untilMs, protocol, why }) => {
      return { address, since: isoTime(sinceMs), until: isoTime(untilMs), protocol, why };
    }),
  };
}

function connectionView({
  address,
  sinceMs,
  protocol,
  transport: { transport, tls, cipher },
  fingerprint,
  keepAliveS,
}: NonNullable<ReturnType<ApiDeps['sessions']['connectionOf']>>): NonNullable<
  DeviceSessions['connection']
> {
  return {
    address,
    since: isoTime(sinceMs),
    protocol,
    transport,
    ...(tls !== undefined && { tls }),
    ...(cipher !== undefined && { cipher }),
    ...(fingerprint !== '' && { certificate: fingerprint }),
    keepAliveS,
  };
}
