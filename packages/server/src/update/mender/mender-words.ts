/** What Mender clients say, in their words and in ours. @module */
import { HardwareId, type Release, type UpdateReport } from '@holdfast/firmware';
import { z } from 'zod';
import { LOG_MESSAGES_MAX } from './limits.ts';

/** `POST …/auth_requests`. What it claims is not looked at: the certificate says who it is. */
export const AuthRequestSchema = z.object({
  id_data: z.string(),
  pubkey: z.string(),
});

/** Longest reason of a report. */
export const WHY_CHARACTERS_MAX = 256;

const Provides = z.object({
  artifact_name: z.string().max(256).optional(),
  device_type: z.string().max(256).optional(),
});
export type DeviceProvides = z.infer<typeof Provides>;

/** `POST …/deployments/next`, of version 2 and of version 1. */
export const NextSchema = z.union([
  z.object({ device_provides: Provides }).transform((body) => body.device_provides),
  Provides,
]);

/** `PUT …/{id}/status`. */
export const StatusSchema = z.object({
  status: z.enum([
    'downloading',
    'pause_before_installing',
    'installing',
    'pause_before_rebooting',
    'rebooting',
    'pause_before_committing',
    'success',
    'failure',
    'already-installed',
  ]),
  substate: z.string().max(1_024).optional(),
});
export type Status = z.infer<typeof StatusSchema>;

/** `PUT …/{id}/log`. */
export const LogSchema = z.object({
  messages: z
    .array(z.object({ level: z.string().max(32), message: z.string().max(65_536) }))
    .max(LOG_MESSAGES_MAX),
});
export type MenderLog = z.infer<typeof LogSchema>;

/** The state of an update after a status. A pause changes nothing. */
export function stateOf({ status }: Status): UpdateReport['state'] | undefined {
  return STATES[status];
}

const STATES: Readonly<Partial<Record<Status['status'], UpdateReport['state']>>> = {
  downloading: 'downloading',
  installing: 'staged',
  rebooting: 'rebooting',
  success: 'confirmed',
  'already-installed': 'confirmed',
  failure: 'failed',
};

/** The last error of a log, as far as it fits. */
export function reasonOf({ messages }: MenderLog): string | undefined {
  const last = messages.findLast(({ level }) => level === 'error') ?? messages.at(-1);
  return last?.message.slice(0, WHY_CHARACTERS_MAX);
}

/** The hardware id that a device says it has: its device type. */
export function hardwareOf({ device_type: type }: DeviceProvides): string | undefined {
  const parsed = HardwareId.safeParse(type);
  return parsed.success ? parsed.data : undefined;
}

/**
 * What is to be installed. The client compares name and device types with those in the file, so
 * whoever makes it names it after the release: `mender-artifact write … -n thermostat@2.1.0`.
 */
export function nextAnswer(number: number, release: Release, uri: string) {
  return {
    id: String(number),
    artifact: {
      artifact_name: release.id,
      device_types_compatible: release.custom.hardware,
      source: { uri },
    },
  };
}
