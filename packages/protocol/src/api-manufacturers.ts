/** The HTTP API: manufacturers whose certificates enroll devices. Part of `api.ts`. @module */
import { z } from 'zod';
import { line, name, text, time } from './api-fields.ts';

/** Characters of the authorities of one manufacturer in PEM: eight of 4 kB. */
export const MANUFACTURER_PEM_MAX = 32_768;

/** Path of `/v1/manufacturers/{name}`. */
export const ManufacturerPathSchema = z.strictObject({ name });

/** `POST /v1/manufacturers`. */
export const AddManufacturerRequestSchema = z
  .strictObject({
    name,
    /** The authorities that issue to its devices themselves, not only the root above them. */
    certificatesPem: z.string().min(1).max(MANUFACTURER_PEM_MAX),
  })
  .meta({ id: 'AddManufacturerRequest' });
export type AddManufacturerRequest = Readonly<z.infer<typeof AddManufacturerRequestSchema>>;

/** A manufacturer as it is listed. */
export const ManufacturerViewSchema = z
  .object({
    name: text(64),
    addedAt: time,
    authorities: z.array(
      z.object({
        subject: text(512),
        /** SHA-256 of the certificate (DER), lower-case hex. */
        fingerprint: text(64),
        notAfter: time,
      }),
    ),
    /** Devices that it may enroll, or has enrolled. */
    deviceCount: z.int().min(0),
  })
  .meta({ id: 'Manufacturer' });
export type ManufacturerView = Readonly<z.infer<typeof ManufacturerViewSchema>>;

/** `GET /v1/manufacturers`, in the order of the names. */
export const ManufacturerListSchema = z
  .object({ manufacturers: z.array(ManufacturerViewSchema) })
  .meta({ id: 'ManufacturerList' });

/** A serial number in hex, as `openssl x509 -serial` prints it. */
const certificateSerial = z
  .string()
  .regex(/^[0-9a-fA-F]{1,2}(:?[0-9a-fA-F]{2}){0,19}$/, 'must be a serial number in hex');

/** `POST /v1/devices/{id}/idevid`: one of both serial numbers. */
export const AllowIdevidRequestSchema = z
  .strictObject({
    manufacturer: name,
    /** The serialNumber in the subject of the IDevID: usually that on the label. */
    serial: line(64).optional(),
    /** The serial number of the certificate itself. */
    certificateSerial: certificateSerial.optional(),
  })
  .refine(
    ({ serial, certificateSerial: other }) => (serial === undefined) !== (other === undefined),
    {
      message: 'needs either "serial" or "certificateSerial"',
    },
  )
  .meta({ id: 'AllowIdevidRequest' });
export type AllowIdevidRequest = Readonly<z.infer<typeof AllowIdevidRequestSchema>>;

/** The answer to `POST /v1/devices/{id}/idevid`. */
export const AllowedIdevidSchema = z
  .object({
    device: text(64),
    manufacturer: text(64),
    serial: text(64).optional(),
    certificateSerial: text(64).optional(),
  })
  .meta({ id: 'AllowedIdevid' });
export type AllowedIdevid = Readonly<z.infer<typeof AllowedIdevidSchema>>;
