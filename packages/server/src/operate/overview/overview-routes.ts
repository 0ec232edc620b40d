/** The server at a glance, and what it has counted over time. @module */
import { FiguresQuerySchema, FiguresSchema, OverviewSchema } from '@holdfast/protocol/api';
import type { ApiDeps } from '../deps.ts';
import { REFUSALS_SURGE_MS } from '../limits.ts';
import { type Routes, json } from '../routes.ts';
import { FleetCensus } from './fleet-census.ts';
import { type OverviewFacts, overviewFacts } from './overview-view.ts';
import { type RefusedDevice, RefusedDevices } from './refused-devices.ts';
import { type TroubleFacts, troublesOf } from './troubles.ts';
import { UnneededArtifacts } from './unneeded-artifacts.ts';

const seesServer = { action: 'server:read', on: 'server' } as const;
const SERVER = { kind: 'server' } as const;

export function addOverviewRoutes(routes: Routes, deps: ApiDeps): void {
  const census = new FleetCensus(deps);
  const refusedDevices = new RefusedDevices(deps);
  const unneeded = new UnneededArtifacts(deps);
  routes.add(
    seesServer,
    {
      method: 'get',
      path: '/v1/overview',
      summary: 'Says how everything is, what is wrong first.',
      responses: { 200: json(OverviewSchema, 'What the caller has a right to.') },
    },
    async (c) => {
      const access = c.get('access');
      const takeLooks = (devices: number): void => routes.takeLooks(c, devices);
      const counted = await census.of(c.get('caller'), { access, takeLooks });
      const facts = overviewFacts(deps, { access, counted });
      const refused =
        facts.refusals === undefined
          ? []
          : await refusedDevices.lately((device) =>
              access.stillPermits({ kind: 'device', device }, 'device:read'),
            );
      return c.json(
        { ...facts, troubles: troublesOf(troubleFacts(facts, deps, { refused, unneeded })) },
        200,
      );
    },
  );

  routes.add(
    seesServer,
    {
      method: 'get',
      path: '/v1/figures',
      summary: 'Messages, refusals and connections over the last hour, day or month.',
      request: { query: FiguresQuerySchema },
      responses: { 200: json(FiguresSchema, 'By code only for those who may read refusals.') },
    },
    (c) => {
      const lines = deps.watch.figures.lines(c.req.valid('query').span);
      const seesCodes = c.get('access').stillPermits(SERVER, 'refusal:read');
      return c.json(seesCodes ? lines : { ...lines, byCode: [] }, 200);
    },
  );
}

function troubleFacts(
  facts: OverviewFacts,
  deps: ApiDeps,
  { refused, unneeded }: { refused: readonly RefusedDevice[]; unneeded: UnneededArtifacts },
): TroubleFacts {
  const { clock, watch, authority, updates, backups } = deps;
  const nowMs = clock.nowMs();
  return {
    ...facts,
    nowMs,
    logSinceMs: watch.lastVerification.sinceMs,
    publicName: watch.certificateEnds().publicName,
    backupEveryMs: backups.records.settings.schedule?.everyMs,
    authorityEndsMs: Math.min(
      ...authority.issuers
        .filter(({ state }) => state === 'issuing')
        .map(({ certificate }) => certificate.validToDate.getTime()),
    ),
    metadata:
      facts.updates === undefined
        ? []
        : updates.care.ends().filter(({ isEndingSoon }) => isEndingSoon),
    unneeded: facts.updates && unneeded.total(),
    refused,
    recent: facts.refusals && watch.figures.refusedLately(REFUSALS_SURGE_MS),
  };
}
