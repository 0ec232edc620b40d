/** The commands that an owner's apps have sent, and what the device answered. @module */
import { refuse } from '@holdfast/protocol';
import {
  DeviceHistoryQuerySchema,
  DevicePathSchema,
  OwnedCommandListSchema,
} from '@holdfast/protocol/api';
import type { OwnedCommand } from '@holdfast/protocol/api';
import { WindowCounter } from '../kernel/index.ts';
import { OWNER_PREFIX, type OwnerApp, appPrincipal } from '../registry/index.ts';
import type { SentCommand } from '../telemetry/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { APP_COMMAND_LISTS_PER_MINUTE_MAX, WATCHED_PRINCIPALS_MAX } from './limits.ts';
import { type Routes, json } from './routes.ts';
import { isoTime } from './views.ts';

const MINUTE_MS = 60_000;

export function addAppCommandRoute(routes: Routes, deps: ApiDeps): void {
  const { owners } = deps;
  const lists = new WindowCounter(deps.clock, {
    windowMs: MINUTE_MS,
    keysMax: WATCHED_PRINCIPALS_MAX,
  });

  routes.add(
    { by: 'app', action: 'device:read', on: 'device' },
    {
      method: 'get',
      path: '/v1/app/devices/{id}/commands',
      summary:
        'Reads the commands of the owner’s apps to a device, newest first, with its answers.',
      request: { params: DevicePathSchema, query: DeviceHistoryQuerySchema },
      responses: {
        200: json(OwnedCommandListSchema, 'A page, which may be short and have a next one.'),
      },
    },
    async (c) => {
      const { id } = c.get('device');
      const app = c.get('app');
      const { ownerId } = app;
      if (lists.add(ownerId) > APP_COMMAND_LISTS_PER_MINUTE_MAX) {
        const detail = `more than ${APP_COMMAND_LISTS_PER_MINUTE_MAX} lists of commands in a minute`;
        throw new RefusedRequest(refuse('E_OPERATE_RATE', detail));
      }
      const page = await deps.deviceCommands(id, c.req.valid('query'));
      // What was sent before is not this owner's; who lost the device in the meantime gets nothing.
      const pairing = owners.pairingOf(id);
      const sinceMs = pairing?.ownerId === ownerId ? pairing.sinceMs : Infinity;
      const ofOwner = appPrincipal(`${ownerId.slice(OWNER_PREFIX.length)}.`);
      const commands = page.commands
        .filter(({ atMs, principal }) => atMs >= sinceMs && principal.startsWith(ofOwner))
        .map((command) => ownedCommandView(command, app));
      const isEnd = page.next === undefined || sinceMs === Infinity;
      return c.json(isEnd ? { commands } : { commands, next: page.next }, 200);
    },
  );
}

function ownedCommandView(
  { index, atMs, name, payload, principal, ack }: SentCommand,
  { id }: OwnerApp,
): OwnedCommand {
  const isOwn = principal === appPrincipal(id);
  const command = { index, at: isoTime(atMs), name, payload, isOwn };
  if (ack === undefined) return command;
  return { ...command, ack: { index: ack.index, at: isoTime(ack.atMs), payload: ack.payload } };
}
