/** The description of the API, made of its routes. @module */
import { APP_SESSION_COOKIE, SESSION_COOKIE } from '@holdfast/protocol/api';
import { z } from '@hono/zod-openapi';
import { type Routes, json } from './routes.ts';

const OpenApiSchema = z.looseObject({ openapi: z.string() });

/** Declares the route of the document. */
export function addOpenApi(routes: Routes): void {
  let document: ReturnType<typeof documentOf> | undefined;
  routes.add(
    'public',
    {
      method: 'get',
      path: '/openapi.json',
      summary: 'This document.',
      responses: { 200: json(OpenApiSchema, 'OpenAPI 3.1.') },
    },
    (c) => {
      // Made once: strangers may ask for it as often as they like.
      document ??= documentOf(routes);
      return c.json(document, 200);
    },
  );
}

/** Describes all routes. The version is that of the API, which stands in its paths. */
export function documentOf({ app }: Routes): z.infer<typeof OpenApiSchema> {
  const { openAPIRegistry: registry } = app;
  const token = { type: 'http', scheme: 'bearer' } as const;
  const session = { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE } as const;
  registry.registerComponent('securitySchemes', 'token', token);
  registry.registerComponent('securitySchemes', 'session', session);
  registry.registerComponent('securitySchemes', 'certificate', { type: 'mutualTLS' });
  const page = { type: 'apiKey', in: 'cookie', name: APP_SESSION_COOKIE } as const;
  registry.registerComponent('securitySchemes', 'page', page);
  const info = { title: 'Holdfast', version: '1', description: 'The API of a Holdfast server.' };
  return OpenApiSchema.parse(app.getOpenAPI31Document({ openapi: '3.1.0', info }));
}
