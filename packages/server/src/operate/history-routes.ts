/** Readings, refusals and acts: pages and streams. @module */
import {
  ActListSchema,
  DevicePathSchema,
  PageQuerySchema,
  ReadingListSchema,
} from '@holdfast/protocol/api';
import type { Resource } from '../policy/index.ts';
import type { ApiDeps } from './deps.ts';
import { type Routes, json, text } from './routes.ts';
import { Streams } from './stream.ts';
import { actView, readingView, refusalView } from './views.ts';

const readsDevice = { action: 'device:read', on: 'device' } as const;
const readsAudit = { action: 'audit:read', on: 'server' } as const;

const eventStream = {
  200: { description: 'Server-sent events.', content: { 'text/event-stream': {} } },
};

export function addHistoryRoutes(routes: Routes, deps: ApiDeps): void {
  const { histories, registry, checkpoint } = deps;
  const streams = new Streams(deps);
  const theServer = (): Resource => ({ kind: 'server' });
  const deviceNow = (id: string): Resource | undefined => {
    const device = registry.byId(id);
    return device && { kind: 'device', device };
  };

  routes.add(
    readsDevice,
    {
      method: 'get',
      path: '/v1/devices/{id}/readings',
      summary: 'Reads verified readings, newest first.',
      request: { params: DevicePathSchema, query: PageQuerySchema },
      responses: { 200: json(ReadingListSchema, 'A page of readings.') },
    },
    async (c) => {
      const { id } = c.get('device');
      const page = await histories.readings(id).read(c.req.valid('query'));
      return c.json({ readings: page.map(readingView) }, 200);
    },
  );

  routes.add(
    readsDevice,
    {
      method: 'get',
      path: '/v1/devices/{id}/readings/stream',
      summary: 'Follows verified readings: event `reading`.',
      request: { params: DevicePathSchema },
      responses: eventStream,
    },
    (c) => {
      const { id } = c.get('device');
      const history = histories.readings(id);
      const resource = (): Resource | undefined => deviceNow(id);
      return streams.open(c, { event: 'reading', history, view: readingView, resource });
    },
  );

  routes.add(
    { action: 'refusal:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/refusals/stream',
      summary: 'Follows refusals: event `refusal`.',
      responses: eventStream,
    },
    (c) => {
      const source = { event: 'refusal', history: histories.refusals, view: refusalView };
      return streams.open(c, { ...source, resource: theServer });
    },
  );

  routes.add(
    readsAudit,
    {
      method: 'get',
      path: '/v1/audit/acts',
      summary: 'Reads administrative acts, newest first.',
      request: { query: PageQuerySchema },
      responses: { 200: json(ActListSchema, 'A page of acts.') },
    },
    async (c) => {
      const page = await histories.acts.read(c.req.valid('query'));
      return c.json({ acts: page.map(actView) }, 200);
    },
  );

  routes.add(
    readsAudit,
    {
      method: 'get',
      path: '/v1/audit/checkpoint',
      summary: 'Gives the newest signed checkpoint of the audit log (C2SP tlog-checkpoint).',
      responses: { 200: text('A signed note.') },
    },
    (c) => c.text(checkpoint(), 200),
  );
}
