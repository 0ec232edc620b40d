/** Artifacts and releases: brought, proposed, listed. @module */
import { ReleaseCustomSchema, releaseId } from '@holdfast/firmware';
import { Refusal, refuse } from '@holdfast/protocol';
import {
  ArtifactViewSchema,
  BeginUploadRequestSchema,
  LinePathSchema,
  MadeSigningRequestSchema,
  ProposeLineRequestSchema,
  ProposeReleaseRequestSchema,
  ReleaseListSchema,
  UploadPathSchema,
  UploadQuerySchema,
  UploadSchema,
} from '@holdfast/protocol/api';
import { UPLOAD_PART_BYTES_MAX } from '../update/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { madeRequestView, releaseViews } from './firmware-views.ts';
import { requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';

const RELEASES = { action: 'firmware:release', on: 'server' } as const;
const binary = { schema: { type: 'string', format: 'binary' } } as const;

export function addReleaseRoutes(routes: Routes, deps: ApiDeps): void {
  routes.add(
    { action: 'firmware:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/firmware/releases',
      summary: 'Lists the published releases.',
      responses: { 200: json(ReleaseListSchema, 'In the order of their lines.') },
    },
    (c) => c.json({ releases: releaseViews(deps.updates) }, 200),
  );
  addProposalRoutes(routes, deps);
  addUploadRoutes(routes, deps);
}

function addProposalRoutes(routes: Routes, deps: ApiDeps): void {
  const made = { 200: json(MadeSigningRequestSchema, 'What is to be signed.') };
  routes.add(
    RELEASES,
    {
      method: 'post',
      path: '/v1/firmware/releases',
      summary: 'Makes the signing request of a release whose artifact is stored.',
      request: { body: jsonBody(ProposeReleaseRequestSchema) },
      responses: made,
    },
    async (c) => {
      requireReady(deps);
      const { sha256, fileName, release, days } = c.req.valid('json');
      const { releases, artifacts } = deps.updates;
      const parsed = ReleaseCustomSchema.safeParse(release);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        const detail = `release.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`;
        throw new RefusedRequest(refuse('E_OPERATE_INPUT', detail));
      }
      const { data: custom } = parsed;
      const length = artifacts.get(sha256)?.length;
      if (length === undefined) {
        throw new RefusedRequest(refuse('E_UPDATE_ARTIFACT', `${sha256} is not stored here.`));
      }
      const path = `${custom.line}/${custom.version}/${fileName}`;
      const add = { id: releaseId(custom), path, length, sha256, custom };
      const { principal } = c.get('caller');
      const standing = await releases.proposeLine({ line: custom.line, add, days }, principal);
      return c.json(madeRequestView(accepted(standing), releases), 200);
    },
  );
  routes.add(
    RELEASES,
    {
      method: 'post',
      path: '/v1/firmware/lines/{line}',
      summary: 'Makes the signing request of a product line: for longer, or with fewer releases.',
      request: { params: LinePathSchema, body: jsonBody(ProposeLineRequestSchema) },
      responses: made,
    },
    async (c) => {
      requireReady(deps);
      const { line } = c.req.valid('param');
      const { releases } = deps.updates;
      const change = { line, ...c.req.valid('json') };
      const standing = await releases.proposeLine(change, c.get('caller').principal);
      return c.json(madeRequestView(accepted(standing), releases), 200);
    },
  );
}

function addUploadRoutes(routes: Routes, deps: ApiDeps): void {
  const params = UploadPathSchema;
  const upload = { 200: json(UploadSchema, 'How far it is.') };
  routes.add(
    RELEASES,
    {
      method: 'post',
      path: '/v1/firmware/uploads',
      summary: 'Begins to take an artifact.',
      request: { body: jsonBody(BeginUploadRequestSchema) },
      responses: upload,
    },
    async (c) => {
      requireReady(deps);
      const { length } = c.req.valid('json');
      const { principal } = c.get('caller');
      const id = accepted(await deps.updates.uploads.begin(length, principal));
      return c.json({ id, received: 0, partBytes: UPLOAD_PART_BYTES_MAX }, 200);
    },
  );
  routes.add(
    RELEASES,
    {
      method: 'put',
      path: '/v1/firmware/uploads/{upload}',
      summary: 'Takes a part of an artifact.',
      request: {
        params,
        query: UploadQuerySchema,
        body: { required: true, content: { 'application/octet-stream': binary } },
      },
      responses: upload,
    },
    async (c) => {
      const { upload: id } = c.req.valid('param');
      const { at } = c.req.valid('query');
      const { principal: by } = c.get('caller');
      const bytes = new Uint8Array(await c.req.arrayBuffer());
      const received = accepted(await deps.updates.uploads.write({ id, at, bytes, by }));
      return c.json({ id, received, partBytes: UPLOAD_PART_BYTES_MAX }, 200);
    },
  );
  routes.add(
    RELEASES,
    {
      method: 'post',
      path: '/v1/firmware/uploads/{upload}/finish',
      summary: 'Stores an artifact of which all parts are there.',
      request: { params },
      responses: { 200: json(ArtifactViewSchema, 'The artifact.') },
    },
    async (c) => {
      requireReady(deps);
      const { upload: id } = c.req.valid('param');
      const stored = await deps.updates.uploads.finish(id, c.get('caller').principal);
      const { sha256, length } = accepted(stored);
      return c.json({ sha256, length }, 200);
    },
  );
  routes.add(
    RELEASES,
    {
      method: 'delete',
      path: '/v1/firmware/uploads/{upload}',
      summary: 'Gives up an upload.',
      request: { params },
      responses: { 204: { description: 'It is gone.' } },
    },
    async (c) => {
      const { upload: id } = c.req.valid('param');
      const refusal = await deps.updates.uploads.drop(id, c.get('caller').principal);
      if (refusal instanceof Refusal) throw new RefusedRequest(refusal);
      return c.body(null, 204);
    },
  );
}
