/** Enrollment as a whole: what the enrollment listener serves, and the claims for it. @module */
import type { Refusal } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Log, RandomBytes } from '../kernel/index.ts';
import type { Device } from '../registry/index.ts';
import { type IssuedClaim, issueClaim } from './claims.ts';
import { type EstDeps, estRoutes } from './est-routes.ts';
import { type PayloadKeysDeps, payloadKeysRoute } from './payload-keys-route.ts';

/** What enrollment needs. */
export interface EnrollmentDeps extends EstDeps, PayloadKeysDeps {
  readonly tenant: EstDeps['tenant'];
  readonly random: RandomBytes;
  readonly log: Log;
  /** Host name of the enrollment listener as devices reach it; an IPv6 address in brackets. */
  readonly host: string;
}

/** The enrollment of one server. */
export interface Enrollment {
  /** Answers the requests of the enrollment listener. */
  readonly fetch: (request: Request, env: HttpBindings) => Response | Promise<Response>;
  /**
   * Issues a claim for a device; see {@link issueClaim}.
   * @param listener - the port on which the enrollment listener is reached.
   */
  issueClaim(device: Device, listener: { port: number }): IssuedClaim | Refusal;
}

/** Puts enrollment together. */
export function createEnrollment(deps: EnrollmentDeps): Enrollment {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.route('/', estRoutes(deps));
  app.route('/', payloadKeysRoute(deps));
  app.onError((error, c) => {
    deps.log.error({ 'error.message': error.message, 'url.path': c.req.path }, 'enrollment failed');
    return c.text('The server cannot do this now. Try again.\n', 503, { 'retry-after': '10' });
  });
  const { anchorPin } = deps.authority;
  return {
    fetch: app.fetch,
    issueClaim: (device, { port }) => issueClaim(device, { ...deps, port, anchorPin }),
  };
}
