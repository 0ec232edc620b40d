/** The files of ceremonies, read within their limits. @module */
import { readFileSync, statSync } from 'node:fs';
import { readPublicSigner, type NamedKey } from '@holdfast/firmware';
import { Failure, unreadable } from '../failure.ts';
import { readText } from '../text-source.ts';
import { accepted } from './accepted.ts';

/** Reads a file of at most so many bytes. @throws Failure `E_CLI_FILE` */
export function readBounded(path: string, bytesMax: number): Buffer {
  try {
    if (statSync(path).size <= bytesMax) return readFileSync(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  throw new Failure('E_CLI_FILE', {
    what: `${path} has more than ${bytesMax} bytes.`,
    why: 'No file of this kind is so large.',
    fix: 'Check that it is the right file.',
  });
}

/** Reads the public key of a person. @throws Failure `E_CLI_FILE`, `E_UPDATE_KEY` */
export function readSigner(path: string): NamedKey {
  return accepted(readPublicSigner(readText(path)), path);
}
