/** The HTTPS API of people and their tools. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { type Caller, type OwnerApp, appPrincipal } from '../registry/index.ts';
import { addAppCommandRoute } from './app-commands.ts';
import { addAppLatestRoute } from './app-latest.ts';
import { addAppRefusalRoute } from './app-refusals.ts';
import { addAppRoutes } from './app-routes.ts';
import { addAppSessionRoutes } from './app-session-routes.ts';
import { addAppStreamRoutes } from './app-streams.ts';
import { addApprovalRoutes } from './approval-routes.ts';
import { addArtifactRoutes } from './artifact-routes.ts';
import { addAuthorityRoutes } from './authority-routes.ts';
import { addBackupRoutes } from './backup-routes.ts';
import { limitBody } from './body-limits.ts';
import { addBucketRoutes } from './bucket-routes.ts';
import { addClassRoutes } from './class-routes.ts';
import { CONSOLE_CONTENT_SECURITY_POLICY } from './console-files.ts';
import { addCrlRoute } from './crl-route.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { addDeviceActRoutes } from './device-act-routes.ts';
import { addDeviceHardwareRoutes } from './device-hardware-routes.ts';
import { addDeviceHistoryRoutes } from './device-history-routes.ts';
import { addDeviceKeyRoutes } from './device-key-routes.ts';
import { addDeviceRightsRoutes } from './device-rights-routes.ts';
import { addDeviceRoutes } from './device-routes.ts';
import { addDeviceUpdateRoutes } from './device-update-routes.ts';
import { addEraseRoutes } from './erase-routes.ts';
import { RefusedRequest, answerTo } from './errors.ts';
import { addEvidenceRoutes } from './evidence-routes.ts';
import { addExportRoutes } from './export-routes.ts';
import { addFirmwareRoutes } from './firmware-routes.ts';
import { addHistoryRoutes } from './history-routes.ts';
import { addKeyRoutes } from './key-routes.ts';
import { DETAIL_CHARACTERS_MAX, REPORTED_PATH_CHARACTERS_MAX } from './limits.ts';
import { addLiveRoute } from './live/live-routes.ts';
import { addManufacturerRoutes } from './manufacturer-routes.ts';
import { addOpenApi, documentOf } from './openapi.ts';
import { addOverviewRoutes } from './overview/overview-routes.ts';
import { addPairRoutes } from './pair-routes.ts';
import { addPeopleRoutes } from './people-routes.ts';
import { addPolicyRoutes } from './policy-routes.ts';
import { addRefusalRoutes } from './refusals/refusal-routes.ts';
import { addReleaseRoutes } from './release-routes.ts';
import { addRolloutRoutes } from './rollout-routes.ts';
import { Routes, addressOf } from './routes.ts';
import { addSeriesRoutes } from './series-routes.ts';
import { addSystemRoutes } from './system-routes.ts';
import { addTileRoutes } from './tile-routes.ts';
import { addTpmRoutes } from './tpm-routes.ts';
import { addUpdateConsentRoutes } from './update-consent-routes.ts';
import { addVerifyRoute } from './verify-route.ts';
import { addVulnerabilityRoutes } from './vulnerability-routes.ts';
import { addWitnessRoutes } from './witness-routes.ts';

/** The API as a function of a request. */
export interface Api {
  readonly fetch: (request: Request, env: HttpBindings) => Response | Promise<Response>;
}

/** Makes the API. */
export function createApi(deps: ApiDeps): Api {
  const { app } = declareRoutes(deps);
  return { fetch: (request, env) => app.fetch(request, env) };
}

/** Declares all routes, with what holds for every one of them. */
export function declareRoutes(deps: ApiDeps): Routes {
  const routes = new Routes(deps);
  addMiddleware(routes, deps);
  addErrorAnswers(routes, deps);
  addSystemRoutes(routes, deps);
  addPeopleRoutes(routes, deps);
  addDeviceRoutes(routes, deps);
  addDeviceActRoutes(routes, deps);
  addDeviceKeyRoutes(routes, deps);
  addDeviceHardwareRoutes(routes, deps);
  addDeviceHistoryRoutes(routes, deps);
  addDeviceRightsRoutes(routes, deps);
  addClassRoutes(routes, deps);
  addManufacturerRoutes(routes, deps);
  addHistoryRoutes(routes, deps);
  addRefusalRoutes(routes, deps);
  addOverviewRoutes(routes, deps);
  addLiveRoute(routes, deps);
  addSeriesRoutes(routes, deps);
  addEvidenceRoutes(routes, deps);
  addAuthorityRoutes(routes, deps);
  addCrlRoute(routes, deps);
  addPolicyRoutes(routes, deps);
  addApprovalRoutes(routes, deps);
  addBackupRoutes(routes, deps);
  addKeyRoutes(routes, deps);
  addBucketRoutes(routes, deps);
  addEraseRoutes(routes, deps);
  addExportRoutes(routes, deps);
  addPairRoutes(routes, deps);
  addAppRoutes(routes, deps);
  addAppSessionRoutes(routes, deps);
  addAppLatestRoute(routes, deps);
  addAppCommandRoute(routes, deps);
  addAppRefusalRoute(routes, deps);
  addAppStreamRoutes(routes, deps);
  addTileRoutes(routes, deps);
  addVerifyRoute(routes, deps);
  addTpmRoutes(routes, deps);
  addWitnessRoutes(routes, deps);
  addFirmwareRoutes(routes, deps);
  addReleaseRoutes(routes, deps);
  addArtifactRoutes(routes, deps);
  addVulnerabilityRoutes(routes, deps);
  addDeviceUpdateRoutes(routes, deps);
  addRolloutRoutes(routes, deps);
  addUpdateConsentRoutes(routes, deps);
  addOpenApi(routes);
  routes.refuseOtherMethods();
  return routes;
}

/** The OpenAPI document as it is committed; needs no server. */
export function openApiDocument(): object {
  // Declaring a route uses none of the dependencies: only its handler does.
  return documentOf(declareRoutes({} as ApiDeps));
}

function addMiddleware({ app }: Routes, { consoleFiles }: Pick<ApiDeps, 'consoleFiles'>): void {
  const headers = {
    referrerPolicy: 'no-referrer',
    strictTransportSecurity: 'max-age=31536000',
    xFrameOptions: 'DENY',
  };
  const nothing = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };
  const ofApi = secureHeaders({ ...headers, contentSecurityPolicy: nothing });
  const ofConsole = secureHeaders({
    ...headers,
    contentSecurityPolicy: CONSOLE_CONTENT_SECURITY_POLICY,
  });
  app.use((c, next) => (consoleFiles.has(c) ? ofConsole : ofApi)(c, next));
  app.use(async (c, next) => {
    await next();
    // A tile that never changes says so itself.
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
  });
  app.use(limitBody);
  // Before the routes and their limits: files from memory, the same for everybody.
  app.use((c, next) => (consoleFiles.has(c) ? consoleFiles.answer(c) : next()));
}

function addErrorAnswers({ app }: Routes, { report, log }: ApiDeps): void {
  const refusedWith = (c: Context<ApiEnv>, refusal: Refusal): Response => {
    const app = c.get('app') as OwnerApp | undefined;
    const principal =
      (c.get('caller') as Caller | undefined)?.principal ?? (app && appPrincipal(app.id));
    const topic = c.req.path.slice(0, REPORTED_PATH_CHARACTERS_MAX);
    const detail = refusal.detail.slice(0, DETAIL_CHARACTERS_MAX);
    report({ refusal: refuse(refusal.code, detail), principal, address: addressOf(c), topic });
    const { status, body } = answerTo(refusal);
    // RFC 9110 §15.5.2
    if (status === 401) c.header('WWW-Authenticate', 'Bearer realm="holdfast"');
    return c.json(body, status);
  };
  app.onError((error, c) => {
    if (error instanceof RefusedRequest) return refusedWith(c, error.refusal);
    if (error instanceof HTTPException && error.status < 500) {
      return refusedWith(c, refuse('E_OPERATE_INPUT', error.message));
    }
    log.error({ 'error.message': String(error), 'url.path': c.req.path }, 'a request failed');
    const message = 'The server failed. This is not your mistake.';
    const fix = 'Try again; if it stays, look at the log of the server.';
    return c.json({ error: { code: 'E_OPERATE_FAULT', message, fix } }, 500);
  });
  app.notFound((c) => refusedWith(c, refuse('E_OPERATE_NOT_FOUND', 'No path of the API is this.')));
}
