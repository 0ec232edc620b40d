/** Refusals: pages, searched and counted; the stream of them stands with the other histories. @module */
import {
  RefusalListSchema,
  RefusalQuerySchema,
  RefusalSummaryQuerySchema,
  RefusalSummarySchema,
} from '@holdfast/protocol/api';
import type { ApiDeps } from '../deps.ts';
import { REFUSAL_SEARCHES_MAX, REFUSAL_SEARCHES_OF_PERSON_MAX } from '../limits.ts';
import { type Routes, json } from '../routes.ts';
import { refusalView } from '../views.ts';
import { RefusalSummaries } from './refusal-summaries.ts';
import { type FoundRefusals, isFiltered, searchRefusals } from './search-refusals.ts';
import { Turns } from './turns.ts';

const readsRefusals = { action: 'refusal:read', on: 'server' } as const;

export function addRefusalRoutes(routes: Routes, deps: ApiDeps): void {
  const { histories, clock, registry } = deps;
  const turns = new Turns({
    max: REFUSAL_SEARCHES_MAX,
    ofPersonMax: REFUSAL_SEARCHES_OF_PERSON_MAX,
  });
  routes.add(
    readsRefusals,
    {
      method: 'get',
      path: '/v1/refusals',
      summary: 'Reads refusals that fit, newest first.',
      request: { query: RefusalQuerySchema },
      responses: { 200: json(RefusalListSchema, 'A page of refusals.') },
    },
    async (c) => {
      const { since, until, ...rest } = c.req.valid('query');
      const sinceMs = since === undefined ? -Infinity : Date.parse(since);
      const untilMs = until === undefined ? Infinity : Date.parse(until);
      const wish = { ...rest, sinceMs, untilMs };
      const search = (): Promise<FoundRefusals> => searchRefusals(histories.refusals, wish);
      const found = await (isFiltered(wish)
        ? turns.take(c.get('caller').principal, search)
        : search());
      const next = found.next === undefined ? {} : { next: found.next };
      return c.json({ refusals: found.refusals.map(refusalView), ...next }, 200);
    },
  );

  const summaries = new RefusalSummaries({
    clock,
    turns,
    get history() {
      return histories.refusals;
    },
  });
  routes.add(
    readsRefusals,
    {
      method: 'get',
      path: '/v1/refusals/summary',
      summary: 'Counts refusals of the last hour, day or week by device, address or code.',
      request: { query: RefusalSummaryQuerySchema },
      responses: { 200: json(RefusalSummarySchema, 'The most frequent first.') },
    },
    async (c) => {
      const { by, span } = c.req.valid('query');
      const summary = await summaries.of(by, span);
      if (by !== 'device') return c.json(summary, 200);
      const access = c.get('access');
      const groups = summary.groups.map((group) => {
        const device = registry.byId(group.key);
        const isSeen =
          device !== undefined && access.stillPermits({ kind: 'device', device }, 'device:read');
        return isSeen ? { ...group, state: device.state } : group;
      });
      return c.json({ ...summary, groups }, 200);
    },
  );
}
