/** Says which attack, or which mishap, stands behind what tuf-js refuses. @module */
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { DeviceError } from '../device-error.ts';
import type { TufFetcher } from './tuf-fetcher.ts';
import { type UpdateErrorCode, updateError } from './update-error.ts';

/** tuf-js puts the text of an error into another one, so that only the text can be relied on. */
const EXPLANATIONS: readonly (readonly [RegExp, UpdateErrorCode])[] = [
  [/is expired$/u, 'E_DEVICE_UPDATE_EXPIRED'],
  [/was signed by \d+\/\d+ keys/u, 'E_DEVICE_UPDATE_SIGNATURE'],
  [/is less than current version|Missing file /u, 'E_DEVICE_UPDATE_ROLLBACK'],
  [/Expected version \d+, got/u, 'E_DEVICE_UPDATE_ROLLBACK'],
  [/doesn?'?(?:t| not) match|Expected (?:length|hash)/u, 'E_DEVICE_UPDATE_MIXED'],
];

/** Explains why the metadata of a repository were not taken. */
export function explainTuf(
  error: unknown,
  { repository, fetcher }: { readonly repository: string; readonly fetcher: TufFetcher },
): DeviceError {
  const { problem, lastFile } = fetcher;
  for (const own of [problem, error]) {
    if (own instanceof DeviceError) return own;
    if (own instanceof DownloadHTTPError) {
      return updateError('E_DEVICE_UPDATE_ANSWER', own.message, own);
    }
  }
  const text = error instanceof Error ? error.message : String(error);
  const code =
    EXPLANATIONS.find(([pattern]) => pattern.test(text))?.[1] ?? 'E_DEVICE_UPDATE_METADATA';
  // The text holds versions, hashes and names only, but of any length: they are not ours.
  const what = text.replaceAll(/[^\x20-\x7e]/gu, '?').slice(0, 200);
  return updateError(code, `${repository} ${lastFile}: ${what}`, error);
}
