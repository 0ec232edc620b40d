/** The HTTP API: the keys of the data folder, in numbers. Part of `api.ts`. @module */
import { z } from 'zod';
import { text, time } from './api-fields.ts';

const count = z.int().min(0);

/** `GET /v1/keys`: no key, and nothing that names a device. */
export const KeyStatusSchema = z
  .object({
    custody: z.object({
      /** Who keeps the key that opens the data folder, for people. */
      name: text(1_024),
      /** Whether the key-encryption key is in a PKCS#11 token. */
      isInToken: z.boolean(),
    }),
    /** Recovery shares that were made last; absent when there are none. */
    escrow: z.object({ setId: text(8), madeAt: time, count: count, threshold: count }).optional(),
    /** Versions of the key-encryption key, oldest first; the last one wraps. */
    versions: z.array(
      z.object({
        version: z.int().min(1),
        createdAt: time,
        /** When it was destroyed; absent while it can be used. */
        retiredAt: time.optional(),
        /** Data keys that are wrapped under it. */
        dataKeys: count,
      }),
    ),
    /** Absent when no rotation is under way. */
    rotation: z
      .object({
        /** Data keys that there are, and those that still depend on a version before. */
        total: count,
        left: count,
        /** Backups that need the version before until they are reached. */
        waitsFor: z.array(text(1_024)),
      })
      .optional(),
    /** Data keys by purpose, in the order of their names. */
    purposes: z.array(
      z.object({
        purpose: text(64),
        /** Those that seal, those that only open, and those that were destroyed. */
        current: count,
        former: count,
        destroyed: count,
        /** When the oldest one was made that seals. */
        oldestAt: time.optional(),
        /** How much of what it may seal the most used one has used up, at most: 0 to 1. */
        worn: z.number().min(0).max(1),
      }),
    ),
  })
  .meta({ id: 'KeyStatus' });
export type KeyStatus = Readonly<z.infer<typeof KeyStatusSchema>>;

/** What everybody who sees the server is told of its keys. */
export const KeySummarySchema = z.object({
  /** False when nothing opens the data any more once its keeper cannot be asked. */
  isRecoverable: z.boolean(),
  isRotating: z.boolean(),
});
