/** Manufacturers whose certificates enroll devices, as a part of the client. @module */
import {
  AllowedIdevidSchema,
  ManufacturerListSchema,
  ManufacturerViewSchema,
} from '@holdfast/protocol/api';
import type {
  AddManufacturerRequest,
  AllowIdevidRequest,
  AllowedIdevid,
  ManufacturerView,
} from '@holdfast/protocol/api';
import type { z } from 'zod';

/** Manufacturers, and the devices that they may enroll. */
export interface ManufacturerClient {
  /** In the order of their names. */
  manufacturers(): Promise<ManufacturerView[]>;
  addManufacturer(request: AddManufacturerRequest): Promise<ManufacturerView>;
  removeManufacturer(name: string): Promise<void>;
  /** Allows the certificate of a manufacturer to enroll a device, once. */
  allowIdevid(id: string, request: AllowIdevidRequest): Promise<AllowedIdevid>;
}

/** How requests are made. */
export interface ManufacturerCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
  readonly post: <T>(schema: z.ZodType<T>, path: string, body?: unknown) => Promise<T>;
  readonly remove: (path: string) => Promise<unknown>;
}

/** Makes this part of the client. */
export function manufacturerClient({ read, post, remove }: ManufacturerCalls): ManufacturerClient {
  return {
    manufacturers: async () =>
      (await read(ManufacturerListSchema, '/v1/manufacturers')).manufacturers,
    addManufacturer: (request) => post(ManufacturerViewSchema, '/v1/manufacturers', request),
    removeManufacturer: async (name) => {
      await remove(`/v1/manufacturers/${encodeURIComponent(name)}`);
    },
    allowIdevid: (id, request) =>
      post(AllowedIdevidSchema, `/v1/devices/${encodeURIComponent(id)}/idevid`, request),
  };
}
