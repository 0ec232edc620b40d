/** The disk of the server as the API shows it. @module */
import { z } from 'zod';

/** How the disk is. */
export const DiskSchema = z
  .object({
    /** `full`: no messages are taken; `failing`: nothing can be written; `slow`: commits take seconds. */
    condition: z.enum(['good', 'slow', 'failing', 'full']),
    /** Absent when the system does not tell. */
    freeBytes: z.int().min(0).optional(),
    /** Free bytes below which no messages are taken. */
    reserveBytes: z.int().min(0),
  })
  .meta({ id: 'Disk' });
export type Disk = Readonly<z.infer<typeof DiskSchema>>;
