/** The HTTP API: owners, their apps, and what these may do. Part of `api.ts`. @module */
import { z } from 'zod';
import { name, text, time } from './api-fields.ts';
import { PAIRED_WITH } from './pairing-text.ts';

/** Longest one-time code as a person types it, in characters: with spaces between all of them. */
const CODE_CHARACTERS_MAX = 64;
/** Longest certificate request in PEM, in characters. */
const CSR_CHARACTERS_MAX = 12_288;

const of = z.string().max(64).regex(PAIRED_WITH, 'must be a device, or owner:<id>');
const code = z.string().min(1).max(CODE_CHARACTERS_MAX);
const csr = z.string().min(1).max(CSR_CHARACTERS_MAX);
const owner = text(64);
const deviceState = text(32);

/** The answers with a new one-time code: the only time that it is shown. */
export const PairCodeSchema = z
  .object({
    /** What it is for: a device, or `owner:<id>`. */
    of: text(64),
    /** `XXXX-XXXX-XXXX-XXXX`, 80 bits. */
    code: text(32),
    /** For a QR code: `holdfast-pair/1/<host>:<port>/<of>/<anchor pin>/<code>`. */
    text: text(512),
    /** Absent: until it is used, or another one is made. */
    expiresAt: time.optional(),
  })
  .meta({ id: 'PairCode' });
export type PairCode = Readonly<z.infer<typeof PairCodeSchema>>;

/** `POST /v1/pair`. */
export const PairRequestSchema = z
  .strictObject({
    /** The device, or `owner:<id>` for one more app of an owner. */
    of,
    code,
    /** PKCS#10 in PEM or base64, signed with the key that the app has made and keeps. */
    csr,
  })
  .meta({ id: 'PairRequest' });
export type PairRequest = Readonly<z.infer<typeof PairRequestSchema>>;

/** The answer to `POST /v1/pair` and `POST /v1/app/renew`. */
export const PairedAppSchema = z
  .object({
    /** Name of the app; `app:<this>` is how the log calls it, and its MQTT client id is this. */
    app: text(64),
    owner,
    /** The devices of the owner. */
    devices: z.array(text(64)),
    certificate: z.object({
      /** The certificate and its issuing authority, PEM. */
      pem: text(16_384),
      notAfter: time,
    }),
    /** The trust anchor of the server, PEM. */
    anchor: text(8_192),
    /** What the app may pin. */
    pins: z.object({ certificate: text(128), spki: text(128) }),
    /** `mqtts://host:port`. */
    broker: text(512),
  })
  .meta({ id: 'PairedApp' });
export type PairedApp = Readonly<z.infer<typeof PairedAppSchema>>;

/** `POST /v1/app/renew`. */
export const RenewAppRequestSchema = z.strictObject({ csr }).meta({ id: 'RenewAppRequest' });
export type RenewAppRequest = Readonly<z.infer<typeof RenewAppRequestSchema>>;

/** `POST /v1/app/devices`: one more device for an owner that is there. */
export const AddOwnedDeviceRequestSchema = z
  .strictObject({ of: name, code })
  .meta({ id: 'AddOwnedDeviceRequest' });
export type AddOwnedDeviceRequest = Readonly<z.infer<typeof AddOwnedDeviceRequestSchema>>;

/** A device as its owner sees it. */
export const OwnedDeviceSchema = z
  .object({
    id: text(64),
    class: text(32),
    state: deviceState,
    /** Since when it has this owner. */
    since: time,
    /** Whether it is connected over MQTT now. */
    online: z.boolean().optional(),
    /** When it was heard of last since then; now, while it is connected. Absent: not yet. */
    lastSeen: time.optional(),
  })
  .meta({ id: 'OwnedDevice' });
export type OwnedDevice = Readonly<z.infer<typeof OwnedDeviceSchema>>;

export const OwnedDeviceListSchema = z
  .object({ devices: z.array(OwnedDeviceSchema) })
  .meta({ id: 'OwnedDeviceList' });
export type OwnedDeviceList = Readonly<z.infer<typeof OwnedDeviceListSchema>>;

/** An app of the owner. */
export const OwnedAppSchema = z
  .object({
    id: text(64),
    createdAt: time,
    /** To the hour. */
    lastSeenAt: time,
    /** When its certificate ends; an app that renews does not reach it. */
    notAfter: time,
    /** Whether it is the one that asks. */
    isThis: z.boolean(),
  })
  .meta({ id: 'OwnedApp' });
export type OwnedApp = Readonly<z.infer<typeof OwnedAppSchema>>;

export const OwnedAppListSchema = z
  .object({ apps: z.array(OwnedAppSchema) })
  .meta({ id: 'OwnedAppList' });
export type OwnedAppList = Readonly<z.infer<typeof OwnedAppListSchema>>;

/** Path of `DELETE /v1/app/apps/{appId}`. */
export const OwnedAppPathSchema = z.strictObject({ appId: name });

/** `POST /v1/devices/{id}/reset`. */
export const ResetDeviceRequestSchema = z
  .strictObject({ reason: z.string().min(1).max(256) })
  .meta({ id: 'ResetDeviceRequest' });
export type ResetDeviceRequest = Readonly<z.infer<typeof ResetDeviceRequestSchema>>;

/** The answer to a factory reset. */
export const ResetDeviceSchema = z
  .object({ device: text(64), hadOwner: z.boolean() })
  .meta({ id: 'ResetDevice' });
export type ResetDevice = Readonly<z.infer<typeof ResetDeviceSchema>>;
