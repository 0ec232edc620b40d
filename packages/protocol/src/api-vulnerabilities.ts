/** The HTTP API: known vulnerabilities in releases. Part of `api.ts`. @module */
import { z } from 'zod';
import { text, time } from './api-fields.ts';

/** `POST /v1/firmware/advisories`: a list that was uploaded takes the place of the one before. */
export const ImportAdvisoriesRequestSchema = z
  .strictObject({
    /** Of the uploaded list. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/u),
  })
  .meta({ id: 'ImportAdvisoriesRequest' });

const list = z.object({ count: z.int().min(0), importedAt: time });

/** The answer: the list that counts now. */
export const AdvisoryListSchema = list.meta({ id: 'AdvisoryList' });
export type AdvisoryListView = Readonly<z.infer<typeof AdvisoryListSchema>>;

/** `GET /v1/firmware/vulnerabilities`. */
export const VulnerabilityReportSchema = z
  .object({
    /** Nothing is known before a list was imported. */
    list: list.optional(),
    releases: z.array(
      z.object({
        /** `<line>@<version>`. */
        release: text(65),
        /** Devices that told that they run it. */
        devices: z.int().min(0),
        /** Why its bill of materials could not be read. */
        problem: text(1_024).optional(),
        components: z.int().min(0),
        /** Components that no vulnerability could be known of: no package URL, or of no ecosystem. */
        unmatched: z.int().min(0),
        /** All of them, also those that are not listed. */
        count: z.int().min(0),
        /** The worst first. */
        findings: z.array(
          z.object({
            component: text(512),
            version: text(512),
            id: text(128),
            aliases: z.array(text(128)),
            severity: z.enum(['unknown', 'low', 'medium', 'high', 'critical']),
            summary: text(256),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'VulnerabilityReport' });
export type VulnerabilityReport = Readonly<z.infer<typeof VulnerabilityReportSchema>>;
