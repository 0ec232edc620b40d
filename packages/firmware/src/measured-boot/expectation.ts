/** What a release says that its boot measures. @module */
import { z } from 'zod';
import { PCRS_MAX } from './limits.ts';

/**
 * The measurements of a good boot, PCR by PCR, as they stand in the signed metadata of a release:
 * a boot that measures anything else into one of these PCRs, or in another order, is not proven.
 */
export const MeasurementsSchema = z
  .array(
    z.strictObject({
      pcr: z
        .int()
        .min(0)
        .max(PCRS_MAX - 1),
      /** SHA-256 of each event, in hexadecimal, in their order. */
      events: z
        .array(z.string().regex(/^[0-9a-f]{64}$/u))
        .min(1)
        .max(256),
    }),
  )
  .min(1)
  .max(PCRS_MAX)
  .refine((all) => new Set(all.map(({ pcr }) => pcr)).size === all.length, 'a PCR stands twice');
export type Measurements = Readonly<z.infer<typeof MeasurementsSchema>>;
