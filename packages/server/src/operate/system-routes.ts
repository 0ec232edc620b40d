/** The server about itself. @module */
import { PinsSchema, ServerInfoSchema } from '@holdfast/protocol/api';
import { backupSummary } from './backup-views.ts';
import type { ApiDeps } from './deps.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, text } from './routes.ts';
import { serverView } from './views.ts';

const WELCOME = `This is the API of a Holdfast server.

Sign in with the command line:   npx holdfast login --server <this address>
The API as OpenAPI 3.1:          /openapi.json
`;

export function addSystemRoutes(routes: Routes, deps: ApiDeps): void {
  const { server, isReady, metrics } = deps;
  routes.add(
    'public',
    { method: 'get', path: '/', responses: { 200: text('What this is.') } },
    (c) => c.text(WELCOME, 200),
  );

  routes.add(
    'public',
    { method: 'get', path: '/healthz', responses: { 200: text('The process runs.') } },
    (c) => c.text('ok\n', 200),
  );

  routes.add(
    'public',
    {
      method: 'get',
      path: '/readyz',
      responses: { 200: text('Messages are stored.'), 503: text('Messages cannot be stored.') },
    },
    (c) => {
      const takesMessages = isReady() && server().disk?.condition !== 'full';
      return takesMessages ? c.text('ready\n', 200) : c.text('not ready\n', 503);
    },
  );

  routes.add(
    { action: 'server:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/server',
      summary: 'Says where things are, and what to pin.',
      responses: { 200: json(ServerInfoSchema, 'The server.') },
    },
    (c) => {
      const backups = backupSummary(deps.backups);
      const keys = deps.keyCare.summary();
      return c.json(serverView(server(), deps.witnesses.all(), { backups, keys }), 200);
    },
  );

  routes.add(
    { action: 'server:rotate-key', on: 'server' },
    {
      method: 'post',
      path: '/v1/server/rotate-key',
      summary: 'Lets the server show its next key; devices with the backup pin go on to trust it.',
      responses: { 200: json(PinsSchema, 'The pins from now on.') },
    },
    async (c) => {
      const { principal } = c.get('caller');
      const facts = { spki: server().pins.backupSpki };
      await recordFirst(deps, { action: 'server.rotate-key', principal, facts });
      deps.authority.rotateServerKey();
      return c.json(server().pins, 200);
    },
  );

  routes.add(
    { action: 'metrics:read', on: 'server' },
    {
      method: 'get',
      path: '/metrics',
      summary: 'Figures for Prometheus.',
      responses: { 200: text('Prometheus text format.') },
    },
    async (c) => c.text(await metrics.metrics(), 200, { 'content-type': metrics.contentType }),
  );
}
