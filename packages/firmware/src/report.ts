/** What a device tells of an update. @module */
import { z } from 'zod';
import { HardwareId, SecurityCounter } from './release.ts';

/** The states of an update on a device, in their order; `failed` and `reverted` end it as well. */
export const UPDATE_STATES = [
  'idle',
  'downloading',
  'verified',
  'staged',
  'rebooting',
  'trial',
  'confirmed',
  'reverting',
  'reverted',
  'failed',
] as const;
export type UpdateState = (typeof UPDATE_STATES)[number];

/** A report: `POST /update/v1/report`, or signed on `d/<device>/state/update`. */
export const UpdateReportSchema = z.strictObject({
  /** Of which release: `<line>@<version>`. */
  release: z.string().max(65),
  state: z.enum(UPDATE_STATES),
  /** What it runs now: SHA-256 of the image, in hexadecimal. */
  running: z
    .string()
    .regex(/^[0-9a-f]{64}$/u)
    .optional(),
  hardware: HardwareId.optional(),
  counter: SecurityCounter.optional(),
  /** Why it failed or went back, for the operator. */
  why: z.string().max(256).optional(),
});
export type UpdateReport = Readonly<z.infer<typeof UpdateReportSchema>>;
