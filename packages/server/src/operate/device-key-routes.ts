/** API keys of devices: making, listing and removing them. @module */
import { refuse } from '@holdfast/protocol';
import {
  CreateDeviceApiKeyRequestSchema,
  CreatedDeviceApiKeySchema,
  DeviceApiKeyListSchema,
  DeviceApiKeyPathSchema,
  type DeviceApiKeyView,
  DevicePathSchema,
} from '@holdfast/protocol/api';
import type { Act } from '../audit/index.ts';
import type { Device, DeviceApiKey } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { isoTime } from './views.ts';

const path = '/v1/devices/{id}/api-keys';

export function addDeviceKeyRoutes(routes: Routes, deps: ApiDeps): void {
  const { apiKeys, registry, recordAct } = deps;

  routes.add(
    { action: 'device:read', on: 'device' },
    {
      method: 'get',
      path,
      summary: 'Lists the API keys of a device that count now.',
      request: { params: DevicePathSchema },
      responses: { 200: json(DeviceApiKeyListSchema, 'Never the keys themselves.') },
    },
    (c) => c.json({ apiKeys: apiKeys.of(c.get('device').id).map(apiKeyView) }, 200),
  );

  routes.add(
    { action: 'device:api-key', on: 'device' },
    {
      method: 'post',
      path,
      summary: 'Makes an API key for a device; the one before it counts for an overlap.',
      request: { params: DevicePathSchema, body: jsonBody(CreateDeviceApiKeyRequestSchema) },
      responses: { 201: json(CreatedDeviceApiKeySchema, 'The key, this once.') },
    },
    async (c) => {
      const { id } = c.get('device');
      requireUsable(c.get('device'));
      const { lifeMs, overlapMs } = c.req.valid('json');
      const made = await apiKeys.make(id, { lifeMs });
      const { principal } = c.get('caller');
      const facts = { apiKey: made.record.id, overlapMs };
      await recordFirst(deps, { action: 'device.api-key', principal, target: id, facts });
      // A revocation in the meantime has ended all keys, and this one would come after it.
      requireUsable(registry.byId(id));
      const [previous] = apiKeys.of(id).slice(-1);
      const conflict = apiKeys.keep(made, overlapMs);
      if (conflict !== undefined) throw new RefusedRequest(conflict);
      const still = apiKeys.of(id).find((key) => key.id === previous?.id);
      const created = { key: made.key.expose(), apiKey: apiKeyView(made.record) };
      const answer = still === undefined ? created : { ...created, previous: apiKeyView(still) };
      return c.json(answer, 201);
    },
  );

  routes.add(
    { action: 'device:api-key', on: 'device' },
    {
      method: 'delete',
      path: `${path}/{keyId}`,
      summary: 'Ends an API key of a device at once, with the connections that showed it.',
      request: { params: DeviceApiKeyPathSchema },
      responses: { 204: { description: 'It has ended.' } },
    },
    async (c) => {
      const { id, keyId } = c.req.valid('param');
      const { principal } = c.get('caller');
      let isRemoved = true;
      try {
        isRemoved = apiKeys.remove(id, keyId);
      } finally {
        // Recorded even when the disk fails: the connections are closed by then.
        const act: Act = { action: 'device.api-key-remove', principal, target: id };
        if (isRemoved) await recordAct({ ...act, facts: { apiKey: keyId } });
      }
      if (!isRemoved) accepted(refuse('E_OPERATE_NOT_FOUND', `${id} has no API key ${keyId}.`));
      return c.body(null, 204);
    },
  );
}

/** An API key as the API shows it. */
function apiKeyView({ id, createdAtMs, endsAtMs, usedAtMs }: DeviceApiKey): DeviceApiKeyView {
  return {
    id,
    createdAt: isoTime(createdAtMs),
    ...(endsAtMs === undefined ? {} : { endsAt: isoTime(endsAtMs) }),
    ...(usedAtMs === undefined ? {} : { usedAt: isoTime(usedAtMs) }),
  };
}

function requireUsable(device: Device | undefined): void {
  if (device !== undefined && device.state !== 'revoked' && device.state !== 'retired') return;
  const detail = `${device?.id ?? 'It'} is ${device?.state ?? 'gone'} and gets no API key.`;
  throw new RefusedRequest(refuse('E_OPERATE_CONFLICT', detail));
}
