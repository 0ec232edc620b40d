/** `/update/v1/boot/…`: where devices bind their TPM and prove their boot. @module */
import { Refusal } from '@holdfast/protocol';
import { Hono } from 'hono';
import { z } from 'zod';
import type { BodyReader } from '../../ingest/index.ts';
import {
  type DeviceContext,
  type DeviceDoor,
  type DeviceEnv,
  NEVER_KEPT,
} from '../delivery/device-door.ts';
import { readJson, statusOf } from '../delivery/read-json.ts';
import type { BootProofs } from './boot-proofs.ts';
import { BIND_BYTES_MAX, EK_CERTIFICATES_MAX, EVIDENCE_BYTES_MAX } from './limits.ts';

const BindSchema = z.strictObject({
  /** SPKI of the endorsement key, DER. */
  ek: z.base64(),
  ekCertificates: z.array(z.base64()).max(EK_CERTIFICATES_MAX).default([]),
  /** `TPMT_PUBLIC`, or `TPM2B_PUBLIC`, of the attestation key. */
  ak: z.base64(),
});
const ActivateSchema = z.strictObject({ secret: z.base64().max(64) });
const EvidenceSchema = z.strictObject({
  /** `TPMS_ATTEST`. */
  quote: z.base64(),
  /** `TPMT_SIGNATURE`. */
  signature: z.base64(),
  /** Crypto-agile event log. */
  eventLog: z.base64(),
});

/** What the routes need. */
export interface PostureDeps {
  readonly proofs: Pick<BootProofs, 'bind' | 'activate' | 'challenge' | 'prove'>;
  readonly door: DeviceDoor;
  readonly bodies: BodyReader;
}

/** The path of everything here. */
export const POSTURE_PREFIX = '/update/v1/boot/';

/** Binding a TPM, and proving a boot with it. */
export function postureRoutes({ proofs, door, bodies }: PostureDeps): Hono<DeviceEnv> {
  const app = new Hono<DeviceEnv>().basePath('/update/v1/boot');
  const read = <T>(c: DeviceContext, schema: z.ZodType<T>, bytesMax: number) =>
    readJson({ request: c.req.raw, bodies, bytesMax }, schema);
  const refused = (c: DeviceContext, refusal: Refusal): Response => {
    const isBody = /^E_(?:INGEST|UPDATE_INPUT)/u.test(refusal.code);
    return door.refused(c, refusal, c.text(NO, isBody ? statusOf(refusal) : 403, NEVER_KEPT));
  };
  app.use('*', door.admit);
  app.post('/bind', async (c) => {
    const asked = await read(c, BindSchema, BIND_BYTES_MAX);
    if (asked instanceof Refusal) return refused(c, asked);
    const made = proofs.bind(c.get('device'), {
      ek: Buffer.from(asked.ek, 'base64'),
      ekCertificates: asked.ekCertificates.map((der) => Buffer.from(der, 'base64')),
      ak: Buffer.from(asked.ak, 'base64'),
    });
    if (made instanceof Refusal) return refused(c, made);
    const [idObject, encryptedSecret] = [made.idObject, made.encryptedSecret].map(toBase64);
    return c.json({ idObject, encryptedSecret }, 200, NEVER_KEPT);
  });
  app.post('/activate', async (c) => {
    const asked = await read(c, ActivateSchema, BIND_BYTES_MAX);
    if (asked instanceof Refusal) return refused(c, asked);
    const secret = Buffer.from(asked.secret, 'base64');
    const refusal = await proofs.activate(c.get('device'), secret);
    return refusal === undefined ? c.body(null, 204, NEVER_KEPT) : refused(c, refusal);
  });
  app.post('/challenge', (c) => {
    const nonce = proofs.challenge(c.get('device'));
    if (nonce instanceof Refusal) return refused(c, nonce);
    return c.json({ nonce: toBase64(nonce) }, 200, NEVER_KEPT);
  });
  app.post('/prove', async (c) => {
    const asked = await read(c, EvidenceSchema, EVIDENCE_BYTES_MAX);
    if (asked instanceof Refusal) return refused(c, asked);
    const refusal = await proofs.prove(c.get('device'), {
      quote: Buffer.from(asked.quote, 'base64'),
      signature: Buffer.from(asked.signature, 'base64'),
      eventLog: Buffer.from(asked.eventLog, 'base64'),
    });
    return refusal === undefined ? c.body(null, 204, NEVER_KEPT) : refused(c, refusal);
  });
  app.all('*', (c) => c.text('There is no such thing.\n', 404, NEVER_KEPT));
  return app;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

const NO = 'It was not accepted.\n';
