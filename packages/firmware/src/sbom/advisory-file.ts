/**
 * The list of known vulnerabilities as it is handed to the server: a first line that says what it
 * is, then one advisory a line behind the key of its package, so that a reader passes over most of
 * them unread.
 * @module
 */
import { type Advisory, AdvisorySchema } from './osv.ts';

/** The first line, without its end. */
export const ADVISORY_FILE_HEAD = 'holdfast-advisories/1';

/** One line with its end; undefined for a package whose name would break it. */
export function advisoryLine(key: string, advisory: Advisory): string | undefined {
  return /[\t\n]/u.test(key) ? undefined : `${key}\t${JSON.stringify(advisory)}\n`;
}

/** The advisory of a line, without the key and the tab; undefined when it is none. */
export function readAdvisory(json: string): Advisory | undefined {
  try {
    return AdvisorySchema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}
