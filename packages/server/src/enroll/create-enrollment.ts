/** Enrollment as a whole: what the enrollment listener serves, and the claims for it. @module */
import type { Refusal } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Log, RandomBytes } from '../kernel/index.ts';
import type { Device } from '../registry/index.ts';
import { type IssuedClaim, type PreparedClaim, issueClaim, prepareClaim } from './claims.ts';
import { type EstDeps, estRoutes } from './est-routes.ts';
import { type PayloadKeysDeps, payloadKeysRoute } from './payload-keys-route.ts';
import { type PinsDeps, pinsRoute } from './pins-route.ts';
import { revocationRoutes } from './revocation-routes.ts';
import { type IssuedCrl, Revocations } from './revocations.ts';

/** What enrollment needs. */
export interface EnrollmentDeps extends EstDeps, PayloadKeysDeps, PinsDeps {
  readonly tenant: EstDeps['tenant'];
  readonly random: RandomBytes;
  readonly log: Log;
  /** Host name of the enrollment listener as devices reach it; an IPv6 address in brackets. */
  readonly host: string;
  /** `https://host:port` of the enrollment listener; asked for when it is open. */
  readonly enrollUrl: () => string;
}

/** The enrollment of one server. */
export interface Enrollment {
  /** Answers the requests of the enrollment listener. */
  readonly fetch: (request: Request, env: HttpBindings) => Response | Promise<Response>;
  /**
   * Issues a claim for a device; see {@link issueClaim}.
   * @param options - the port on which the enrollment listener is reached, and who asks.
   */
  issueClaim(device: Device, options: { port: number; by?: string }): IssuedClaim | Refusal;
  /** Makes a claim, and leaves it to the caller to write its record. */
  prepareClaim(deviceId: string, options: { port: number; lifeMs: number }): PreparedClaim;
  /**
   * The complete CRL of an issuer.
   * @param issuer - how it is called in paths; without it, the one that issues now.
   */
  crl(issuer?: string): IssuedCrl | undefined;
}

/** Puts enrollment together. */
export function createEnrollment(deps: EnrollmentDeps): Enrollment {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.route('/', estRoutes(deps));
  app.route('/', payloadKeysRoute(deps));
  app.route('/', pinsRoute(deps));
  const revocations = new Revocations(deps);
  app.route('/', revocationRoutes({ ...deps, revocations }));
  app.onError((error, c) => {
    deps.log.error({ 'error.message': error.message, 'url.path': c.req.path }, 'enrollment failed');
    return c.text('The server cannot do this now. Try again.\n', 503, { 'retry-after': '10' });
  });
  const { anchorPin } = deps.authority;
  return {
    fetch: app.fetch,
    crl: (issuer) => revocations.crl({ issuer }),
    issueClaim: (device, options) => issueClaim(device, { ...deps, ...options, anchorPin }),
    prepareClaim: (deviceId, options) => prepareClaim(deviceId, { ...deps, ...options, anchorPin }),
  };
}
