/** Time series of what devices report: lists, points, last values. @module */
import { refuse } from '@holdfast/protocol';
import {
  DevicePathSchema,
  LatestListSchema,
  LatestQuerySchema,
  PointsQuerySchema,
  RESOLUTIONS_MS,
  SeriesListSchema,
  type SeriesPage,
  SeriesPageSchema,
} from '@holdfast/protocol/api';
import type { z } from 'zod';
import { type Device, contentKeyRefsOf } from '../registry/index.ts';
import { BUCKETS_MAX, type SeriesInfo } from '../telemetry/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { type Routes, json } from './routes.ts';
import { spanView, latestView, pointView, seriesListView } from './series-views.ts';

type AskedPoints = z.output<typeof PointsQuerySchema>;
const listPath = '/v1/devices/{id}/series';
const pointsPath = '/v1/devices/{id}/series/points';
const latestPath = '/v1/readings/latest';
const readsDevice = { action: 'device:read', on: 'device' } as const;
const appReadsDevice = { by: 'app', ...readsDevice } as const;

const listConfig = {
  method: 'get',
  summary: 'Lists the series of numbers that a device reports, with their last values.',
  request: { params: DevicePathSchema },
  responses: { 200: json(SeriesListSchema, 'In the order of their names.') },
} as const;
const pointsConfig = {
  method: 'get',
  summary: 'Reads a series of a device: values one by one, or rolled up by spans of time.',
  request: { params: DevicePathSchema, query: PointsQuerySchema },
  responses: { 200: json(SeriesPageSchema, 'A page, oldest first.') },
} as const;

export function addSeriesRoutes(routes: Routes, deps: ApiDeps): void {
  const { series } = deps;

  routes.add(readsDevice, { ...listConfig, path: listPath }, async (c) =>
    c.json(seriesListView(await series.list(contentKeyRefsOf(c.get('device')))), 200),
  );

  routes.add(readsDevice, { ...pointsConfig, path: pointsPath }, async (c) =>
    c.json(await readPoints(deps, c.get('device'), c.req.valid('query')), 200),
  );

  addLatestRoute(routes, deps);
  addAppRoutes(routes, deps);
}

function addLatestRoute(routes: Routes, { series, registry }: ApiDeps): void {
  routes.add(
    { action: 'device:read', on: 'devices' },
    {
      method: 'get',
      path: latestPath,
      summary: 'Reads the last values of many devices.',
      request: { query: LatestQuerySchema },
      responses: { 200: json(LatestListSchema, 'In the order of their ids.') },
    },
    async (c) => {
      const { series: name, class: className, group, limit, after = '' } = c.req.valid('query');
      const devices = c
        .get('access')
        .filter(registry.all())
        .filter((device) => className === undefined || device.class === className)
        .filter((device) => group === undefined || device.group === group)
        .filter(({ id }) => id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      const page = devices.slice(0, name === undefined ? Math.min(limit, LATEST_ALL_MAX) : limit);
      const found = await series.latest(
        page.map((device) => contentKeyRefsOf(device)),
        name,
      );
      const latest = page.flatMap(({ id }, at) => {
        const values = found.devices[at]?.values ?? [];
        if (values.length === 0) return [];
        const views = values.map(latestView);
        return [{ device: id, values: views }];
      });
      const next = devices.length > page.length ? page.at(-1)?.id : undefined;
      const answer = { latest, behind: found.behind };
      return c.json(next === undefined ? answer : { ...answer, next }, 200);
    },
  );
}

/** Devices of a page of all their series: each one has up to a thousand. */
const LATEST_ALL_MAX = 100;

/** What was sent before a pairing is not this owner's; nor is what comes when it has ended. */
function addAppRoutes(routes: Routes, deps: ApiDeps): void {
  const { series, owners } = deps;
  const sinceMs = (deviceId: string, ownerId: string): number => {
    const pairing = owners.pairingOf(deviceId);
    return pairing?.ownerId === ownerId ? pairing.sinceMs : Infinity;
  };

  routes.add(appReadsDevice, { ...listConfig, path: '/v1/app/devices/{id}/series' }, async (c) => {
    const device = c.get('device');
    const list = await series.list(contentKeyRefsOf(device));
    const fromMs = sinceMs(device.id, c.get('app').ownerId);
    const own = list.series
      .filter(({ last }) => last.timeMs >= fromMs)
      .map((one) => since(one, fromMs));
    // How much was passed over says how much was sent before, and is of no use to an owner.
    return c.json(seriesListView({ ...list, series: own, passedOver: 0 }), 200);
  });

  routes.add(
    appReadsDevice,
    { ...pointsConfig, path: '/v1/app/devices/{id}/series/points' },
    async (c) => {
      const device = c.get('device');
      const ofOwner = (): number => sinceMs(device.id, c.get('app').ownerId);
      const page = await readPoints(deps, device, c.req.valid('query'), ofOwner());
      // The device may have been lost while it was read.
      const isOwn = Number.isFinite(ofOwner());
      return c.json(isOwn ? page : { points: [], buckets: [], behind: 0 }, 200);
    },
  );
}

function since(info: SeriesInfo, fromMs: number): SeriesInfo {
  return { ...info, firstMs: Math.max(info.firstMs, fromMs) };
}

async function readPoints(
  { series }: ApiDeps,
  device: Device,
  { series: name, from, to, resolution, limit, after }: AskedPoints,
  sinceMs = 0,
): Promise<SeriesPage> {
  const [timeMs, index] = (after ?? '').split('-').map(Number);
  const query = {
    keyRefs: contentKeyRefsOf(device),
    name,
    fromMs: Math.max(sinceMs, from === undefined ? 0 : Date.parse(from)),
    toMs: to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to),
    limit,
    after: timeMs === undefined || index === undefined ? undefined : { timeMs, index },
  };
  if (!Number.isFinite(query.fromMs)) return { points: [], buckets: [], behind: 0 };
  if (resolution === undefined) {
    const { points, hasMore, behind } = await series.points(query);
    const last = points.at(-1);
    const next = hasMore && last !== undefined ? { next: `${last.timeMs}-${last.index}` } : {};
    return { points: points.map(pointView), buckets: [], behind, ...next };
  }
  // A span of which a part was before the pairing is left out.
  const spanMs = RESOLUTIONS_MS[resolution];
  const fromMs = sinceMs === 0 ? query.fromMs : Math.ceil(query.fromMs / spanMs) * spanMs;
  const page = await series.buckets({ ...query, fromMs, spanMs });
  if (page === undefined) {
    const detail = `These are more than ${BUCKETS_MAX} spans: choose a coarser resolution.`;
    throw new RefusedRequest(refuse('E_OPERATE_INPUT', detail));
  }
  const { points, hasMore, behind } = page;
  const last = points.at(-1);
  const next = hasMore && last !== undefined ? { next: `${last.timeMs}-0` } : {};
  return { points: [], buckets: points.map(spanView), behind, ...next };
}
