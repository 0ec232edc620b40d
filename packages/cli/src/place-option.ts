/** Where backups are, as the options --to and --from name it. @module */
import { isAbsolute } from 'node:path';
import { usageFailure } from './failure.ts';
import { printable } from './printable.ts';

const PLACE = /^(?:folder:\/|s3:\/\/[^/])/u;

/** Checks the form of a place before anybody is asked. @throws Failure `E_CLI_USAGE` */
export function placeOption(
  text: string | undefined,
  { name, example }: { readonly name: string; readonly example: string },
): string {
  if (text === undefined || text === '') {
    throw usageFailure(`${name} is missing.`, `For example: holdfast ${example}`);
  }
  if (PLACE.test(text)) return text;
  throw usageFailure(
    `${name} takes folder:/path, the path in full, or s3://bucket/prefix, not "${printable(text)}".`,
    isAbsolute(text)
      ? `Did you mean folder:${printable(text)}?`
      : `For example: holdfast ${example}`,
  );
}
