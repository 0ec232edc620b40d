/** The server about itself. @module */
import { ServerInfoSchema } from '@holdfast/protocol/api';
import type { ApiDeps } from './deps.ts';
import { type Routes, json, text } from './routes.ts';
import { serverView } from './views.ts';

const WELCOME = `This is the API of a Holdfast server.

Sign in with the command line:   npx holdfast login --server <this address>
The API as OpenAPI 3.1:          /openapi.json
`;

export function addSystemRoutes(routes: Routes, { server, isReady, metrics }: ApiDeps): void {
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
    (c) => (isReady() ? c.text('ready\n', 200) : c.text('not ready\n', 503)),
  );

  routes.add(
    'server:read',
    {
      method: 'get',
      path: '/v1/server',
      summary: 'Says where things are, and what to pin.',
      responses: { 200: json(ServerInfoSchema, 'The server.') },
    },
    (c) => c.json(serverView(server()), 200),
  );

  routes.add(
    'metrics:read',
    {
      method: 'get',
      path: '/metrics',
      summary: 'Figures for Prometheus.',
      responses: { 200: text('Prometheus text format.') },
    },
    async (c) => c.text(await metrics.metrics(), 200, { 'content-type': metrics.contentType }),
  );
}
