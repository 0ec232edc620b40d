/** Stored artifacts: what needs them, and the removal of what nothing needs. @module */
import { refuse } from '@holdfast/protocol';
import {
  RemoveArtifactsRequestSchema,
  RemovedArtifactsSchema,
  StoredArtifactListSchema,
} from '@holdfast/protocol/api';
import { totalOf } from '../update/index.ts';
import { artifactListView, storedArtifactView, storedArtifacts } from './artifact-views.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';

export function addArtifactRoutes(routes: Routes, deps: ApiDeps): void {
  const stored = storedArtifacts(deps);
  routes.add(
    { action: 'firmware:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/firmware/artifacts',
      summary: 'Lists the stored artifacts, what needs each of them, and what could go.',
      responses: { 200: json(StoredArtifactListSchema, 'The largest first.') },
    },
    (c) => c.json(artifactListView(stored), 200),
  );
  routes.add(
    { action: 'firmware:release', on: 'server' },
    {
      method: 'post',
      path: '/v1/firmware/artifacts/remove',
      summary: 'Removes stored artifacts that nothing needs, or says which would go.',
      request: { body: jsonBody(RemoveArtifactsRequestSchema) },
      responses: { 200: json(RemovedArtifactsSchema, 'What went, or would go.') },
    },
    async (c) => {
      const { artifacts, unneeded, strays, dryRun, reason } = c.req.valid('json');
      if (artifacts.length === 0 && !unneeded && !strays) {
        const detail = 'Name artifacts, or ask for all that nothing needs.';
        throw new RefusedRequest(refuse('E_OPERATE_INPUT', detail));
      }
      const wish = { named: artifacts, unneeded, strays };
      if (!dryRun) requireReady(deps);
      const { principal } = c.get('caller');
      const done = accepted(
        dryRun ? await stored.preview(wish) : await stored.remove(wish, { principal, reason }),
      );
      return c.json(
        {
          artifacts: done.goes.map(storedArtifactView),
          removed: totalOf(done.goes),
          strays: done.strays,
          stays: dryRun ? done.stays.map(storedArtifactView) : [],
        },
        200,
      );
    },
  );
}
