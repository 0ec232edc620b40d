/** Backups, exports and erasure, as a part of the client. @module */
import type { IncomingMessage } from 'node:http';
import {
  BackupListSchema,
  BackupRunSchema,
  BackupStatusSchema,
  ErasedDeviceSchema,
  PrunedBackupsSchema,
} from '@holdfast/protocol/api';
import type {
  BackupArtifactsRequest,
  BackupDrillRequest,
  BackupList,
  BackupRun,
  BackupSchedule,
  BackupStatus,
  ErasedDevice,
  ExportKind,
  ExportQuery,
  ForgetDestinationRequest,
  MakeBackupRequest,
  PruneBackupsRequest,
  PrunedBackups,
} from '@holdfast/protocol/api';
import type { z } from 'zod';

/** Backups, and what else takes the data elsewhere, or away. */
export interface BackupClient {
  /** Begins a backup; `backupStatus` tells how far it is. */
  makeBackup(request: MakeBackupRequest): Promise<BackupRun>;
  backupStatus(): Promise<BackupStatus>;
  backups(from: string): Promise<BackupList>;
  pruneBackups(request: PruneBackupsRequest): Promise<PrunedBackups>;
  /** Without a schedule, backups are made on demand only. */
  scheduleBackups(schedule: BackupSchedule | undefined): Promise<BackupStatus>;
  /** Whether backups leave out the artifacts of updates that are in a bucket. */
  leaveOutArtifacts(request: BackupArtifactsRequest): Promise<BackupStatus>;
  forgetDestination(request: ForgetDestinationRequest): Promise<BackupStatus>;
  recordDrill(request: BackupDrillRequest): Promise<BackupStatus>;
  /** Destroys the keys of what a device has sent, here and in all backups. */
  eraseDevice(id: string, reason: string): Promise<ErasedDevice>;
  /** A file as a stream of bytes. */
  export(kind: ExportKind, query?: ExportQuery): Promise<IncomingMessage>;
}

/** How requests are made. */
export interface BackupCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
  readonly send: <T>(
    schema: z.ZodType<T>,
    request: { method: 'POST' | 'PUT' | 'DELETE'; path: string; body?: unknown },
  ) => Promise<T>;
  readonly download: (path: string) => Promise<IncomingMessage>;
}

/** Makes this part of the client. */
export function backupClient({ read, send, download }: BackupCalls): BackupClient {
  const schedulePath = '/v1/backups/schedule';
  return {
    makeBackup: (body) => send(BackupRunSchema, { method: 'POST', path: '/v1/backups', body }),
    backupStatus: () => read(BackupStatusSchema, '/v1/backups/status'),
    backups: (from) => read(BackupListSchema, `/v1/backups?from=${encodeURIComponent(from)}`),
    pruneBackups: (body) =>
      send(PrunedBackupsSchema, { method: 'POST', path: '/v1/backups/prune', body }),
    scheduleBackups: (body) =>
      body === undefined
        ? send(BackupStatusSchema, { method: 'DELETE', path: schedulePath })
        : send(BackupStatusSchema, { method: 'PUT', path: schedulePath, body }),
    leaveOutArtifacts: (body) =>
      send(BackupStatusSchema, { method: 'PUT', path: '/v1/backups/artifacts', body }),
    forgetDestination: (body) =>
      send(BackupStatusSchema, { method: 'POST', path: '/v1/backups/forget', body }),
    recordDrill: (body) =>
      send(BackupStatusSchema, { method: 'POST', path: '/v1/backups/drills', body }),
    eraseDevice: (id, reason) => {
      const path = `/v1/devices/${encodeURIComponent(id)}/erase`;
      return send(ErasedDeviceSchema, { method: 'POST', path, body: { reason } });
    },
    export: (kind, query = {}) => {
      const given = Object.entries(query).filter(([, value]) => value !== undefined);
      const parameters = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
      return download(`/v1/export/${kind}?${parameters.toString()}`);
    },
  };
}
