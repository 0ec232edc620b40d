/** Gives an enrolled device its payload keys, inside mutual TLS. @module */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { REFUSAL_CODES, Refusal, type RefusalCode, refuse } from '@holdfast/protocol';
import { type ApiError } from '@holdfast/protocol/api';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { RecordAct } from '../audit/index.ts';
import type { ReportRefusal, SecretBytes } from '../kernel/index.ts';
import type { ServerPins } from '../pki/index.ts';
import type { Device, DeviceRegistry, PayloadKeySource } from '../registry/index.ts';
import { peerAddress } from '../wire/index.ts';

/** Says who is at the other end of a TLS connection: the gate of the session stage. */
export type Identify = (socket: TLSSocket) => { readonly principal: string } | Refusal;

/** What the route needs. */
export interface PayloadKeysDeps {
  readonly registry: DeviceRegistry;
  readonly payloadKeys: PayloadKeySource;
  readonly identify: Identify;
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
 * them: whoever takes the certificate later does not get the keys with it.
 */
export function payloadKeysRoute(deps: PayloadKeysDeps): Hono<{ Bindings: HttpBindings }> {
  const { recordAct, report } = deps;
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get('/v1/device/payload-keys', async (c) => {
    const { socket } = c.env.incoming;
    const circumstances = { address: peerAddress(socket), topic: c.req.path };
    const device = identified(socket, deps);
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
    const { tenant, broker, pins } = deps;
    const keys = { payloadKey: hexOf(payloadKey), commandKey: hexOf(commandKey) };
    const body = { device: device.id, tenant, kid, ...keys, broker, pins };
    return c.json(body, 200, { 'cache-control': 'no-store' });
  });
  return app;
}

function identified(socket: Socket, { identify, registry }: PayloadKeysDeps): Device | Refusal {
  if (!(socket instanceof TLSSocket)) throw new TypeError('payload keys without TLS');
  const peer = identify(socket);
  if (peer instanceof Refusal) return peer;
  const device = registry.byId(peer.principal);
  return device ?? refuse('E_SESSION_UNKNOWN_CERTIFICATE', `no device ${peer.principal}`);
}

function subjectOf(socket: Socket): string | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.subject : undefined;
}

function hexOf(key: SecretBytes): string {
  return Buffer.from(key.expose()).toString('hex');
}

function errorBody(code: RefusalCode): ApiError {
  const { what, fix } = REFUSAL_CODES[code];
  return { error: { code, message: what, fix } };
}

/** Tells every peer without a good certificate the same, whatever is wrong with it. */
const NOT_IDENTIFIED: ApiError = {
  error: {
    code: 'E_OPERATE_UNAUTHENTICATED',
    message: 'No client certificate that is accepted was shown.',
    fix: 'Show the operational certificate of the device, client.crt with client.key.',
  },
};
