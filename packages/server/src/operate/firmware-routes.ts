/** The keys of the update repositories, what is to be signed, and what was signed. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  FirmwareStatusSchema,
  MadeSigningRequestSchema,
  MakeSigningRequestSchema,
  OnlineKeysSchema,
  PublishedFirmwareSchema,
  SignatureFileSchema,
  SigningRequestListSchema,
  SigningRequestPathSchema,
  SigningRequestSchema,
  SubmittedSignaturesSchema,
} from '@holdfast/protocol/api';
import { artifactFigures, storedArtifacts } from './artifact-views.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import {
  firmwareStatus,
  madeRequestView,
  onlineKeysView,
  requestFile,
  requestView,
} from './firmware-views.ts';
import { recordFirst, requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';

const READS = { action: 'firmware:read', on: 'server' } as const;
const SIGNS = { action: 'firmware:sign', on: 'server' } as const;

export function addFirmwareRoutes(routes: Routes, deps: ApiDeps): void {
  addKeyRoutes(routes, deps);
  addRequestRoutes(routes, deps);
}

function addKeyRoutes(routes: Routes, deps: ApiDeps): void {
  const stored = storedArtifacts(deps);
  routes.add(
    READS,
    {
      method: 'get',
      path: '/v1/firmware',
      summary: 'Shows the roles of the update repositories, who signs them, and when they end.',
      responses: { 200: json(FirmwareStatusSchema, 'The first to end first.') },
    },
    (c) => {
      const artifacts = artifactFigures(stored.list());
      return c.json({ ...firmwareStatus(deps.updates), artifacts }, 200);
    },
  );
  routes.add(
    READS,
    {
      method: 'get',
      path: '/v1/firmware/published',
      summary: 'Gives the newest document of each role that people sign.',
      responses: { 200: json(PublishedFirmwareSchema, 'With their signatures.') },
    },
    (c) => c.json({ documents: deps.updates.releases.publishedFiles() }, 200),
  );
  const online = { 200: json(OnlineKeysSchema, 'Public keys.') };
  routes.add(
    READS,
    {
      method: 'get',
      path: '/v1/firmware/online-keys',
      summary: 'Shows the public keys that the server signs updates with.',
      responses: online,
    },
    (c) => {
      const { keys, releases } = deps.updates;
      return c.json(onlineKeysView(keys, releases.published), 200);
    },
  );
  routes.add(
    SIGNS,
    {
      method: 'post',
      path: '/v1/firmware/online-keys',
      summary: 'Makes new keys of the server, which sign once signed roots name them.',
      responses: online,
    },
    async (c) => {
      const { keys, releases } = deps.updates;
      const { principal } = c.get('caller');
      await recordFirst(deps, { action: 'update.make-online-keys', principal });
      keys.make();
      return c.json(onlineKeysView(keys, releases.published), 200);
    },
  );
}

function addRequestRoutes(routes: Routes, deps: ApiDeps): void {
  const params = SigningRequestPathSchema;
  routes.add(
    READS,
    {
      method: 'get',
      path: '/v1/firmware/requests',
      summary: 'Lists the open signing requests.',
      responses: { 200: json(SigningRequestListSchema, 'Oldest first.') },
    },
    (c) => {
      const { releases } = deps.updates;
      const views = releases.requests.all().flatMap((request) => {
        const standing = releases.standing(request);
        // One that has ended meanwhile cannot be signed any more.
        return standing instanceof Refusal ? [] : [requestView(standing)];
      });
      return c.json({ requests: views }, 200);
    },
  );
  routes.add(
    READS,
    {
      method: 'get',
      path: '/v1/firmware/requests/{id}',
      summary: 'Gives a signing request as the file that signers need.',
      request: { params },
      responses: { 200: json(SigningRequestSchema, 'The request.') },
    },
    (c) => {
      const { id } = c.req.valid('param');
      const { releases } = deps.updates;
      const request = releases.requests.byId(id);
      if (request === undefined) throw new RefusedRequest(absent(id));
      return c.json(requestFile(accepted(releases.standing(request)), releases), 200);
    },
  );
  routes.add(
    SIGNS,
    {
      method: 'post',
      path: '/v1/firmware/requests',
      summary: 'Makes a signing request of documents that are to be published together.',
      request: { body: jsonBody(MakeSigningRequestSchema) },
      responses: { 200: json(MadeSigningRequestSchema, 'The request, open now.') },
    },
    async (c) => {
      requireReady(deps);
      const { documents } = c.req.valid('json');
      const { releases } = deps.updates;
      const made = await releases.makeRequest(documents, c.get('caller').principal);
      return c.json(madeRequestView(accepted(made), releases), 200);
    },
  );
  routes.add(
    SIGNS,
    {
      method: 'delete',
      path: '/v1/firmware/requests/{id}',
      summary: 'Withdraws a signing request.',
      request: { params },
      responses: { 204: { description: 'It is gone.' } },
    },
    async (c) => {
      const { id } = c.req.valid('param');
      accepted(await deps.updates.releases.withdraw(id, c.get('caller').principal));
      return c.body(null, 204);
    },
  );
  routes.add(
    SIGNS,
    {
      method: 'post',
      path: '/v1/firmware/signatures',
      summary: 'Hands over signatures; the documents are published once they are enough.',
      request: { body: jsonBody(SignatureFileSchema) },
      responses: { 200: json(SubmittedSignaturesSchema, 'How the request stands.') },
    },
    async (c) => {
      requireReady(deps);
      const { principal } = c.get('caller');
      const submitted = await deps.updates.releases.submit(c.req.valid('json'), principal);
      const { isPublished, ...standing } = accepted(submitted);
      return c.json({ request: requestView(standing), isPublished }, 200);
    },
  );
}

function absent(id: string): Refusal {
  return refuse('E_OPERATE_NOT_FOUND', `There is no open signing request ${id}.`);
}
