/** Artifacts, releases, and what devices run, as a part of the client. @module */
import { setTimeout as wait } from 'node:timers/promises';
import {
  ArtifactViewSchema,
  DeviceUpdateListSchema,
  DeviceUpdateViewSchema,
  MadeSigningRequestSchema,
  ReleaseListSchema,
  RemovedArtifactsSchema,
  StoredArtifactListSchema,
  UploadSchema,
} from '@holdfast/protocol/api';
import type {
  ArtifactView,
  AssignReleaseRequest,
  DeviceUpdateList,
  DeviceUpdateView,
  MadeSigningRequest,
  ProposeLineRequest,
  ProposeReleaseRequest,
  ReleaseView,
  RemoveArtifactsRequest,
  RemovedArtifacts,
  StoredArtifactList,
} from '@holdfast/protocol/api';
import type { z } from 'zod';
import { ApiError } from './api-error.ts';
import { PART_ATTEMPTS_MAX, PART_PAUSE_MS } from './limits.ts';

/** A file that is brought to the server. */
export interface ArtifactSource {
  /** Bytes. */
  readonly length: number;
  /** The bytes from `start` up to and without `end`. */
  readonly read: (start: number, end: number) => Promise<Uint8Array>;
}

/** How an upload is followed. */
export interface UploadOptions {
  /** Hears how many bytes have arrived. */
  readonly onProgress?: (received: number) => void;
}

/** Releases of firmware. */
export interface ReleaseClient {
  /** Brings a file in parts; nothing of it counts before it is whole. */
  uploadArtifact(source: ArtifactSource, options?: UploadOptions): Promise<ArtifactView>;
  /** Makes what is to be signed of a release whose artifact is stored. */
  proposeRelease(request: ProposeReleaseRequest): Promise<MadeSigningRequest>;
  /** Makes what is to be signed of a product line: for longer, or without some releases. */
  proposeLine(line: string, request: ProposeLineRequest): Promise<MadeSigningRequest>;
  releases(): Promise<ReleaseView[]>;
  /** The stored artifacts, what needs each of them, and what could go. */
  storedArtifacts(): Promise<StoredArtifactList>;
  /** Removes stored artifacts that nothing needs, or says which would go. */
  removeArtifacts(request: RemoveArtifactsRequest): Promise<RemovedArtifacts>;
  deviceUpdate(id: string): Promise<DeviceUpdateView>;
  /** What became of the updates of a device, step by step, newest first. */
  deviceUpdates(id: string): Promise<DeviceUpdateList>;
  /** Says what a device is to run. */
  assignRelease(id: string, request: AssignReleaseRequest): Promise<DeviceUpdateView>;
}

/** How requests are made. */
export interface ReleaseCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
  readonly post: <T>(schema: z.ZodType<T>, path: string, body?: unknown) => Promise<T>;
  readonly put: <T>(schema: z.ZodType<T>, path: string, body: unknown) => Promise<T>;
}

/** A part that arrived twice counts once, so it may be sent again when the line fails. */
async function patiently<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      const isOffline = error instanceof ApiError && error.code === 'E_CLIENT_UNREACHABLE';
      if (!isOffline || attempt === PART_ATTEMPTS_MAX) throw error;
      await wait(PART_PAUSE_MS);
    }
  }
}

/** Makes this part of the client. */
export function releaseClient({ read, post, put }: ReleaseCalls): ReleaseClient {
  const updatePath = (id: string): string => `/v1/devices/${encodeURIComponent(id)}/update`;
  return {
    uploadArtifact: async ({ length, read: bytesOf }, { onProgress = () => {} } = {}) => {
      const uploads = '/v1/firmware/uploads';
      let upload = await post(UploadSchema, uploads, { length });
      const path = `${uploads}/${encodeURIComponent(upload.id)}`;
      while (upload.received < length) {
        const { received: at, partBytes } = upload;
        const part = await bytesOf(at, Math.min(length, at + partBytes));
        upload = await patiently(() => put(UploadSchema, `${path}?at=${at}`, part));
        onProgress(upload.received);
      }
      return post(ArtifactViewSchema, `${path}/finish`);
    },
    proposeRelease: (body) => post(MadeSigningRequestSchema, '/v1/firmware/releases', body),
    proposeLine: (line, body) =>
      post(MadeSigningRequestSchema, `/v1/firmware/lines/${encodeURIComponent(line)}`, body),
    releases: async () => (await read(ReleaseListSchema, '/v1/firmware/releases')).releases,
    storedArtifacts: () => read(StoredArtifactListSchema, '/v1/firmware/artifacts'),
    removeArtifacts: (body) => post(RemovedArtifactsSchema, '/v1/firmware/artifacts/remove', body),
    deviceUpdate: (id) => read(DeviceUpdateViewSchema, updatePath(id)),
    deviceUpdates: (id) => read(DeviceUpdateListSchema, `${updatePath(id)}s`),
    assignRelease: (id, body) => put(DeviceUpdateViewSchema, updatePath(id), body),
  };
}
