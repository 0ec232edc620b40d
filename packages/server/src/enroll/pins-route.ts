/** The signed pin set: tells a device which certificate and key this server has. @module */
import { createHmac } from 'node:crypto';
import { Refusal, prepareSignedJson } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { ReportRefusal } from '../kernel/index.ts';
import { type ServerPins, devicePins } from '../pki/index.ts';
import type { PayloadKeySource } from '../registry/index.ts';
import { peerAddress } from '../wire/index.ts';
import { NOT_IDENTIFIED, type IdentifiedDeps, identified, subjectOf } from './identified.ts';

/** What the route needs. */
export interface PinsDeps extends IdentifiedDeps {
  readonly payloadKeys: PayloadKeySource;
  /** Of the server certificate that the listeners show. */
  readonly pins: ServerPins;
  /** Higher with each certificate. */
  readonly pinsVersion: () => number;
  /** From when on that certificate counts, in milliseconds since 1970. */
  readonly pinsSinceMs: () => number;
  readonly report: ReportRefusal;
}

/**
 * `GET /.well-known/holdfast/pins`: `{"version", "pins", "notBefore", "sig"}`, signed JSON under
 * the command key of the device. Whoever has only the key of a listener cannot change pins.
 */
export function pinsRoute(deps: PinsDeps): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get('/.well-known/holdfast/pins', async (c) => {
    const { socket } = c.env.incoming;
    const device = await identified({ socket, headers: c.req.raw.headers }, deps);
    if (device instanceof Refusal) {
      const circumstances = { address: peerAddress(socket), topic: c.req.path };
      deps.report({ refusal: device, claimed: subjectOf(socket), ...circumstances });
      return c.json(NOT_IDENTIFIED, 401);
    }
    const [version, notBefore] = [deps.pinsVersion(), deps.pinsSinceMs()];
    const set = prepareSignedJson({ version, pins: devicePins(deps.pins), notBefore });
    const { commandKey } = deps.payloadKeys.of(device);
    const tag = createHmac('sha256', commandKey.expose()).update(set.signedBytes).digest('hex');
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    return c.body(set.finish(tag), 200, headers);
  });
  app.all('/.well-known/holdfast/pins', (c) => c.text('Use GET.\n', 405, { allow: 'GET, HEAD' }));
  return app;
}
