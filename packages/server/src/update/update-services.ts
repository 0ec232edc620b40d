/** Everything that devices reach of the update system, behind one listener. @module */
import type { DeviceId } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { IdentifiedDeps } from '../enroll/index.ts';
import { BodyReader } from '../ingest/index.ts';
import type { Clock, Log, ReportRefusal } from '../kernel/index.ts';
import type { SealedStore } from '../persistence/index.ts';
import { Checksums } from './ddi/checksums.ts';
import { ddiRoutes, isDdiPath } from './ddi/ddi-routes.ts';
import { DELIVERY_PREFIX, deliveryRoutes } from './delivery/delivery-routes.ts';
import { Deployments } from './delivery/deployments.ts';
import { DeviceDoor, type DeviceDoorDeps, type DeviceEnv } from './delivery/device-door.ts';
import { type DownloadCounts, Downloads, type UpdateRates } from './delivery/downloads.ts';
import { RETRY_AFTER_S } from './delivery/limits.ts';
import { MENDER_PREFIX, menderRoutes } from './mender/mender-routes.ts';
import { type SecretOf, Tokens } from './mender/tokens.ts';
import type { Director, Releases, UpdateReports } from './ports.ts';
import { type PostureDeps, postureRoutes } from './posture/posture-routes.ts';

/** What the services need. */
export interface UpdateServicesDeps
  extends IdentifiedDeps, Pick<DeviceDoorDeps, 'gate' | 'quarantined'> {
  readonly gate: DeviceDoorDeps['gate'];
  readonly clock: Clock;
  readonly log: Log;
  readonly report: ReportRefusal;
  readonly store: Pick<SealedStore, 'collection'>;
  readonly tenant: string;
  readonly releases: Releases;
  readonly director: Director;
  readonly reports: UpdateReports;
  readonly proofs: PostureDeps['proofs'];
  /** A secret of a device that outlives restarts. */
  readonly secretOf: SecretOf;
  readonly rates?: UpdateRates | undefined;
  /** Hears of each device that comes. */
  readonly onSeen?: ((device: DeviceId) => void) | undefined;
}

/** `/update/v1/…`, hawkBit's `/{tenant}/controller/v1/…` and Mender's `/api/devices/…`. */
export class UpdateServices {
  readonly #app: Hono<DeviceEnv>;
  readonly #downloads: Downloads;
  readonly #deployments: Deployments;

  constructor(deps: UpdateServicesDeps) {
    const { log, clock, releases, tenant, secretOf } = deps;
    const door = new DeviceDoor(deps);
    const downloads = new Downloads(clock, deps.rates);
    const deployments = new Deployments(deps);
    const shared = { ...deps, door, downloads, deployments, bodies: new BodyReader() };
    const app = new Hono<DeviceEnv>();
    app.route('/', postureRoutes(shared));
    app.route('/', deliveryRoutes(shared));
    app.route('/', menderRoutes({ ...shared, tokens: new Tokens(secretOf) }));
    app.route('/', ddiRoutes({ ...shared, tenant, checksums: new Checksums(releases) }));
    app.onError((error, c) => {
      log.error(
        { 'error.message': error.message, 'url.path': c.req.path },
        'update request failed',
      );
      const headers = { 'retry-after': String(RETRY_AFTER_S), 'cache-control': 'no-store' };
      return c.text('The server cannot do this now. Try again.\n', 503, headers);
    });
    this.#app = app;
    this.#downloads = downloads;
    this.#deployments = deployments;
  }

  /** Whether a request is for one of them. */
  takes(request: Request): boolean {
    const { pathname } = new URL(request.url);
    return (
      pathname.startsWith(DELIVERY_PREFIX) ||
      pathname.startsWith(MENDER_PREFIX) ||
      isDdiPath(pathname)
    );
  }

  /** Answers a request. */
  readonly fetch = (request: Request, env: HttpBindings): Response | Promise<Response> =>
    this.#app.fetch(request, env);

  /** For the metrics. */
  get counts(): DownloadCounts {
    return this.#downloads.counts;
  }

  /** What a device was to install by hawkBit's or Mender's words, and what it said of itself. */
  forget(device: string): void {
    this.#deployments.forget(device);
  }

  /** Breaks off what a device downloads: it may connect no more. */
  breakOff(device: string): void {
    this.#downloads.breakOff(device);
  }

  /** To be called when something was assigned to a device, be it what it had before. */
  assigned(device: Parameters<Deployments['offerAgain']>[0]): void {
    this.#deployments.offerAgain(device);
  }
}
