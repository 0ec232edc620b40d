/** Reads records of known vulnerabilities. @see https://ossf.github.io/osv-schema/ @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';
import { cvss3Score } from './cvss3.ts';
import { OSV_AFFECTED_MAX, OSV_RECORD_BYTES_MAX, OSV_VERSIONS_MAX } from './limits.ts';
import { packageKey, releaseOf } from './purl.ts';

const RangeSchema = z.strictObject({
  type: z.enum(['SEMVER', 'ECOSYSTEM']),
  /** In the order of versions: one that is affected again, and one that no longer is. */
  events: z
    .array(
      z.union([
        z.strictObject({ introduced: z.string().max(256) }),
        z.strictObject({ fixed: z.string().max(256) }),
        z.strictObject({ lastAffected: z.string().max(256) }),
      ]),
    )
    .max(OSV_VERSIONS_MAX),
});

/** How bad it is; `unknown` where its record does not say. */
export const SeveritySchema = z.enum(['unknown', 'low', 'medium', 'high', 'critical']);
export type AdvisorySeverity = z.infer<typeof SeveritySchema>;

/** One vulnerability of one package, as it is kept. */
export const AdvisorySchema = z.strictObject({
  /** Id in OSV: `GHSA-…`, `DSA-…`. */
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9:._-]{0,127}$/u),
  /** Other ids: the CVE. */
  aliases: z.array(z.string().max(128)).max(16),
  summary: z.string().max(256),
  /** Of a distribution, which one: `12` of Debian. */
  release: z.string().max(64).optional(),
  severity: SeveritySchema,
  ranges: z.array(RangeSchema).max(256),
  /** Affected ones by name, whatever the ranges say. */
  versions: z.array(z.string().max(256)).max(OSV_VERSIONS_MAX),
});
export type Advisory = Readonly<z.infer<typeof AdvisorySchema>>;

/** Where a range begins or ends. */
export type RangeEvent = Advisory['ranges'][number]['events'][number];

/** What a record says, by the key of each package. */
export interface OsvRecord {
  readonly id: string;
  /** Taken back: it is to be forgotten. */
  readonly isWithdrawn: boolean;
  /** One for each release of a distribution. */
  readonly affected: readonly { readonly key: string; readonly advisory: Advisory }[];
}

/** Reads one record; ranges of source code commits are passed over. */
export function readOsv(bytes: Uint8Array): OsvRecord | Refusal {
  if (bytes.length > OSV_RECORD_BYTES_MAX) {
    return wrong(`it has more than ${OSV_RECORD_BYTES_MAX} bytes`);
  }
  const parsed = OsvSchema.safeParse(parseJson(bytes));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return wrong(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
  }
  const { id, aliases = [], summary, details = '', affected = [] } = parsed.data;
  const text = (summary ?? details.split('\n', 1)[0] ?? '').slice(0, SUMMARY_MAX).toWellFormed();
  const head = { id, aliases: aliases.slice(0, ALIASES_MAX), summary: text };
  const found = affected.flatMap((item) => {
    if (item.package === undefined) return [];
    const release = releaseOf(item.package.ecosystem);
    const advisory: Advisory = {
      ...head,
      ...(release !== undefined && { release }),
      severity: severityOf([parsed.data, item]),
      ranges: (item.ranges ?? []).flatMap((range) => rangeOf(range) ?? []),
      versions: item.versions ?? [],
    };
    return [{ key: packageKey(item.package), advisory }];
  });
  return { id, isWithdrawn: parsed.data.withdrawn !== undefined, affected: found };
}

const SeverityListSchema = z
  .array(z.object({ type: z.string(), score: z.string().max(256) }))
  .max(16)
  .optional();
const SpecificSchema = z.object({ severity: z.unknown().optional() }).optional();

const AffectedSchema = z.object({
  package: z
    .object({ ecosystem: z.string().min(1).max(64), name: z.string().min(1).max(512) })
    .optional(),
  ranges: z
    .array(
      z.object({
        type: z.string().max(32),
        events: z.array(z.record(z.string().max(32), z.string().max(256))).max(OSV_VERSIONS_MAX),
      }),
    )
    .max(256)
    .optional(),
  versions: z.array(z.string().max(256)).max(OSV_VERSIONS_MAX).optional(),
  severity: SeverityListSchema,
  database_specific: SpecificSchema,
  ecosystem_specific: SpecificSchema,
});

const OsvSchema = z.object({
  id: AdvisorySchema.shape.id,
  withdrawn: z.string().optional(),
  aliases: z.array(z.string().max(128)).max(1_024).optional(),
  summary: z.string().optional(),
  details: z.string().optional(),
  affected: z.array(AffectedSchema).max(OSV_AFFECTED_MAX).optional(),
  severity: SeverityListSchema,
  database_specific: SpecificSchema,
});

function rangeOf(range: {
  type: string;
  events: readonly Readonly<Record<string, string>>[];
}): Advisory['ranges'][number] | undefined {
  const { type } = range;
  if (type !== 'SEMVER' && type !== 'ECOSYSTEM') return undefined;
  return { type, events: range.events.flatMap((event) => eventOf(event) ?? []) };
}

function eventOf(event: Readonly<Record<string, string>>): RangeEvent | undefined {
  const { introduced, fixed, last_affected: lastAffected } = event;
  if (introduced !== undefined) return { introduced };
  if (fixed !== undefined) return { fixed };
  return lastAffected === undefined ? undefined : { lastAffected };
}

/** By score where there is one, else by the word of the database. */
function severityOf(
  sources: readonly {
    severity?: z.infer<typeof SeverityListSchema>;
    database_specific?: z.infer<typeof SpecificSchema>;
    ecosystem_specific?: z.infer<typeof SpecificSchema>;
  }[],
): AdvisorySeverity {
  const scores = sources
    .flatMap(({ severity = [] }) => severity)
    .flatMap(({ type, score }) => (type === 'CVSS_V3' ? (cvss3Score(score) ?? []) : []));
  if (scores.length > 0) return severityOfScore(Math.max(...scores));
  const words = sources
    .flatMap((source) => [source.database_specific, source.ecosystem_specific])
    .flatMap((specific) => wordOf(specific?.severity) ?? []);
  return words[0] ?? 'unknown';
}

/** Some databases have lists or objects there, which need not have a text at all. */
function wordOf(severity: unknown): AdvisorySeverity | undefined {
  return typeof severity === 'string' ? WORDS.get(severity.toLowerCase()) : undefined;
}

/** CVSS v3.1 Specification §5 */
function severityOfScore(score: number): AdvisorySeverity {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  return score >= 4 ? 'medium' : 'low';
}

function wrong(problem: string): Refusal {
  return refuse('E_UPDATE_ADVISORIES', `This is no OSV record that can be read: ${problem}.`);
}

const WORDS: ReadonlyMap<string, AdvisorySeverity> = new Map([
  ['low', 'low'],
  ['moderate', 'medium'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['critical', 'critical'],
]);
const SUMMARY_MAX = 200;
const ALIASES_MAX = 16;
