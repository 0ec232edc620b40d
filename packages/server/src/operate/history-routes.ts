/** Readings, refusals and acts: pages and streams. @module */
import { refuse } from '@holdfast/protocol';
import {
  ActListSchema,
  DevicePathSchema,
  PageQuerySchema,
  ReadingListSchema,
  RefusalListSchema,
} from '@holdfast/protocol/api';
import type { ApiDeps } from './deps.ts';
import { accepted } from './errors.ts';
import { type Routes, json, text } from './routes.ts';
import { Streams } from './stream.ts';
import { actView, readingView, refusalView } from './views.ts';

const eventStream = {
  200: { description: 'Server-sent events.', content: { 'text/event-stream': {} } },
};

export function addHistoryRoutes(routes: Routes, deps: ApiDeps): void {
  const { histories, registry, checkpoint } = deps;
  const streams = new Streams(deps);
  const requireDevice = (id: string): string => {
    const refusal = refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`);
    return accepted(registry.byId(id)?.id ?? refusal);
  };

  routes.add(
    'device:read',
    {
      method: 'get',
      path: '/v1/devices/{id}/readings',
      summary: 'Reads verified readings, newest first.',
      request: { params: DevicePathSchema, query: PageQuerySchema },
      responses: { 200: json(ReadingListSchema, 'A page of readings.') },
    },
    async (c) => {
      const id = requireDevice(c.req.valid('param').id);
      const page = await histories.readings(id).read(c.req.valid('query'));
      return c.json({ readings: page.map(readingView) }, 200);
    },
  );

  routes.add(
    'device:read',
    {
      method: 'get',
      path: '/v1/devices/{id}/readings/stream',
      summary: 'Follows verified readings: event `reading`.',
      request: { params: DevicePathSchema },
      responses: eventStream,
    },
    (c) => {
      const history = histories.readings(requireDevice(c.req.valid('param').id));
      return streams.open(c, { event: 'reading', history, view: readingView });
    },
  );

  routes.add(
    'audit:read',
    {
      method: 'get',
      path: '/v1/refusals',
      summary: 'Reads refusals, newest first.',
      request: { query: PageQuerySchema },
      responses: { 200: json(RefusalListSchema, 'A page of refusals.') },
    },
    async (c) => {
      const page = await histories.refusals.read(c.req.valid('query'));
      return c.json({ refusals: page.map(refusalView) }, 200);
    },
  );

  routes.add(
    'audit:read',
    {
      method: 'get',
      path: '/v1/refusals/stream',
      summary: 'Follows refusals: event `refusal`.',
      responses: eventStream,
    },
    (c) => streams.open(c, { event: 'refusal', history: histories.refusals, view: refusalView }),
  );

  routes.add(
    'audit:read',
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
    'audit:read',
    {
      method: 'get',
      path: '/v1/audit/checkpoint',
      summary: 'Gives the newest signed checkpoint of the audit log (C2SP tlog-checkpoint).',
      responses: { 200: text('A signed note.') },
    },
    (c) => c.text(checkpoint(), 200),
  );
}
