/** The keys of the update repository, and what is to be signed, as a part of the client. @module */
import {
  FirmwareStatusSchema,
  MadeSigningRequestSchema,
  OnlineKeysSchema,
  PublishedFirmwareSchema,
  SigningRequestListSchema,
  SigningRequestSchema,
  SubmittedSignaturesSchema,
} from '@holdfast/protocol/api';
import type {
  FirmwareStatus,
  MadeSigningRequest,
  MakeSigningRequest,
  OnlineKeys,
  PublishedFirmware,
  SignatureFile,
  SigningRequest,
  SigningRequestView,
  SubmittedSignatures,
} from '@holdfast/protocol/api';
import type { z } from 'zod';

/** Keys and ceremonies of firmware updates. */
export interface FirmwareClient {
  /** Every role, when it ends, and who signs it. */
  firmwareStatus(): Promise<FirmwareStatus>;
  /** The keys that the server signs with. */
  onlineKeys(): Promise<OnlineKeys>;
  /** Makes new keys for the server, which sign once roots that name them are published. */
  makeOnlineKeys(): Promise<OnlineKeys>;
  /** The newest document of each role that people sign. */
  publishedFirmware(): Promise<PublishedFirmware>;
  makeSigningRequest(request: MakeSigningRequest): Promise<MadeSigningRequest>;
  /** The open ones, oldest first. */
  signingRequests(): Promise<SigningRequestView[]>;
  signingRequest(id: string): Promise<SigningRequest>;
  withdrawSigningRequest(id: string): Promise<void>;
  submitSignatures(file: SignatureFile): Promise<SubmittedSignatures>;
}

/** How requests are made. */
export interface FirmwareCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
  readonly post: <T>(schema: z.ZodType<T>, path: string, body?: unknown) => Promise<T>;
  readonly remove: (path: string) => Promise<unknown>;
}

/** Makes this part of the client. */
export function firmwareClient({ read, post, remove }: FirmwareCalls): FirmwareClient {
  const requestPath = (id: string): string => `/v1/firmware/requests/${encodeURIComponent(id)}`;
  return {
    firmwareStatus: () => read(FirmwareStatusSchema, '/v1/firmware'),
    onlineKeys: () => read(OnlineKeysSchema, '/v1/firmware/online-keys'),
    makeOnlineKeys: () => post(OnlineKeysSchema, '/v1/firmware/online-keys'),
    publishedFirmware: () => read(PublishedFirmwareSchema, '/v1/firmware/published'),
    makeSigningRequest: (body) => post(MadeSigningRequestSchema, '/v1/firmware/requests', body),
    signingRequests: async () =>
      (await read(SigningRequestListSchema, '/v1/firmware/requests')).requests,
    signingRequest: (id) => read(SigningRequestSchema, requestPath(id)),
    withdrawSigningRequest: async (id) => {
      await remove(requestPath(id));
    },
    submitSignatures: (body) => post(SubmittedSignaturesSchema, '/v1/firmware/signatures', body),
  };
}
