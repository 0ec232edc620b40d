/** Gives an enrolled device its payload keys, inside mutual TLS. @module */
import { REFUSAL_CODES, Refusal, type RefusalCode, refuse } from '@holdfast/protocol';
import { type ApiError } from '@holdfast/protocol/api';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { RecordAct } from '../audit/index.ts';
import type { ReportRefusal, SecretBytes } from '../kernel/index.ts';
import { type ServerPins, devicePins } from '../pki/index.ts';
import type { Device, PayloadKeySource } from '../registry/index.ts';
import { peerAddress } from '../wire/index.ts';
import { type IdentifiedDeps, NOT_IDENTIFIED, identified, subjectOf } from './identified.ts';

/** What the route needs. */
export interface PayloadKeysDeps extends IdentifiedDeps {
  readonly payloadKeys: PayloadKeySource;
  readonly tenant: string;
  /** `mqtts://host:port`. */
  readonly broker: string;
  /** Of the server certificate that the broker shows. */
  readonly pins: ServerPins;
  readonly recordAct: RecordAct;
  readonly report: ReportRefusal;
}

/**
 * `GET /v1/device/payload-keys`. The keys are given until the first message was verified with
 * them: whoever takes the certificate later does not get the keys with it. The first time, before
 * the device has connected, no API key is asked for: see {@link hasJustEnrolled}.
 */
export function payloadKeysRoute(deps: PayloadKeysDeps): Hono<{ Bindings: HttpBindings }> {
  const { recordAct, report } = deps;
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get('/v1/device/payload-keys', async (c) => {
    const { socket } = c.env.incoming;
    const circumstances = { address: peerAddress(socket), topic: c.req.path };
    const { headers } = c.req.raw;
    const device = await identified({ socket, headers, isExempt: hasJustEnrolled }, deps);
    if (device instanceof Refusal) {
      report({ refusal: device, claimed: subjectOf(socket), ...circumstances });
      return c.json(NOT_IDENTIFIED, 401);
    }
    if (device.isPayloadKeyInUse) {
      const detail = `messages of ${device.id} were verified with its payload key already`;
      const refusal = refuse('E_ENROLL_DELIVERED', detail);
      report({ refusal, principal: device.id, ...circumstances });
      return c.json(errorBody('E_ENROLL_DELIVERED'), 409);
    }
    const { kid, payloadKey, commandKey } = deps.payloadKeys.of(device);
    const { address } = circumstances;
    await recordAct({
      action: 'device.payload-keys',
      principal: device.id,
      target: device.id,
      facts: { kid, address },
    });
    const { tenant, broker } = deps;
    const pins = devicePins(deps.pins);
    const keys = { payloadKey: hexOf(payloadKey), commandKey: hexOf(commandKey) };
    const body = { device: device.id, tenant, kid, ...keys, broker, pins };
    return c.json(body, 200, { 'cache-control': 'no-store' });
  });
  return app;
}

/**
 * Whether a device has not connected since it enrolled. The bundle into which its API key goes is
 * made of what it gets here; and to connect, it has to show the key, after which there is no excuse.
 */
function hasJustEnrolled({ state }: Device): boolean {
  return state === 'claimed';
}

function hexOf(key: SecretBytes): string {
  return Buffer.from(key.expose()).toString('hex');
}

function errorBody(code: RefusalCode): ApiError {
  const { what, fix } = REFUSAL_CODES[code];
  return { error: { code, message: what, fix } };
}
