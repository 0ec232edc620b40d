import { refuse } from '@holdfast/protocol';
/** The HTTPS API of people and their tools. @module */
import type { HttpBindings } from '@hono/node-server';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { addDeviceRoutes } from './device-routes.ts';
import { RefusedRequest, answerTo } from './errors.ts';
import { addHistoryRoutes } from './history-routes.ts';
import { BODY_BYTES_MAX } from './limits.ts';
import { Routes, addressOf, json } from './routes.ts';
import { addSignInRoutes } from './sign-in-routes.ts';
import { addSystemRoutes } from './system-routes.ts';

/** The API as a function of a request. */
export interface Api {
  readonly fetch: (request: Request, env: HttpBindings) => Response | Promise<Response>;
}

/** Makes the API. */
export function createApi(deps: ApiDeps): Api {
  const routes = new Routes(deps);
  const { app } = routes;
  const refusedWith = (c: Context<ApiEnv>, refusal: RefusedRequest['refusal']): Response => {
    const principal = (c.get('caller') as { principal: string } | undefined)?.principal;
    deps.report({ refusal, principal, address: addressOf(c), topic: c.req.path });
    const { status, body } = answerTo(refusal);
    if (status === 401) c.header('WWW-Authenticate', 'Bearer realm="holdfast"');
    return c.json(body, status);
  };

  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      referrerPolicy: 'no-referrer',
      strictTransportSecurity: 'max-age=31536000',
      xFrameOptions: 'DENY',
    }),
  );
  app.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
  });
  app.use(
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: () => {
        throw new RefusedRequest(refuse('E_OPERATE_INPUT', `more than ${BODY_BYTES_MAX} bytes`));
      },
    }),
  );
  app.onError((error, c) => {
    if (error instanceof RefusedRequest) return refusedWith(c, error.refusal);
    if (error instanceof HTTPException && error.status < 500) {
      return refusedWith(c, refuse('E_OPERATE_INPUT', error.message));
    }
    deps.log.error({ 'error.message': String(error), 'url.path': c.req.path }, 'a request failed');
    const message = 'The server failed. This is not your mistake.';
    const fix = 'Try again; if it stays, look at the log of the server.';
    return c.json({ error: { code: 'E_OPERATE_FAULT', message, fix } }, 500);
  });
  app.notFound((c) => refusedWith(c, refuse('E_OPERATE_NOT_FOUND', 'There is no such path.')));

  addSystemRoutes(routes, deps);
  addSignInRoutes(routes, deps);
  addDeviceRoutes(routes, deps);
  addHistoryRoutes(routes, deps);
  addOpenApi(routes, deps);
  return { fetch: (request, env) => app.fetch(request, env) };
}

const OpenApiSchema = z.looseObject({ openapi: z.string() });

function addOpenApi(routes: Routes, { server }: ApiDeps): void {
  const { app } = routes;
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-holdfast',
  });
  const description = 'The API of a Holdfast server.';
  routes.add(
    'public',
    {
      method: 'get',
      path: '/openapi.json',
      summary: 'This document.',
      responses: { 200: json(OpenApiSchema, 'OpenAPI 3.1.') },
    },
    (c) => {
      const info = { title: 'Holdfast', version: server().version, description };
      const document = app.getOpenAPI31Document({ openapi: '3.1.0', info });
      return c.json(OpenApiSchema.parse(document), 200);
    },
  );
}
