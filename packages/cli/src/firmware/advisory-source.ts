/** OSV records, out of files, folders and zips, as one list for the server. @module */
import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { extname, join } from 'node:path';
import {
  ADVISORY_FILE_HEAD,
  OSV_RECORD_BYTES_MAX,
  advisoryLine,
  readOsv,
  readZip,
} from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { Failure, unreadable } from '../failure.ts';
import { ADVISORY_SOURCE_BYTES_MAX } from '../limits.ts';
import { accepted } from './accepted.ts';
import { readBounded } from './files.ts';

/** Writes the list of all records. @returns how many of them could not be read */
export async function writeAdvisories(
  out: string,
  sources: readonly string[],
): Promise<{ readonly written: number; readonly passedOver: number }> {
  const counts = { written: 0, passedOver: 0 };
  const file = openSync(out, 'wx', 0o600);
  try {
    writeSync(file, `${ADVISORY_FILE_HEAD}\n`);
    for (const source of sources) {
      for (const bytes of recordsOf(source)) {
        const record = bytes instanceof Refusal ? bytes : readOsv(bytes);
        if (record instanceof Refusal) counts.passedOver += 1;
        else if (!record.isWithdrawn) {
          for (const { key, advisory } of record.affected) {
            const line = advisoryLine(key, advisory);
            if (line === undefined) continue;
            writeSync(file, line);
            counts.written += 1;
          }
        }
      }
    }
  } finally {
    closeSync(file);
  }
  if (counts.written > 0) return counts;
  throw new Failure('E_UPDATE_ADVISORIES', {
    what: `There is no OSV record of a package in ${sources.join(', ')}.`,
    why: 'None of the files in it is a record with a package and its versions.',
    fix: 'Give the zip of an ecosystem of osv.dev, a JSON record, or a folder of these.',
  });
}

function* recordsOf(path: string): Generator<Uint8Array | Refusal> {
  if (isFolder(path)) {
    for (const name of readdirSync(path).toSorted()) {
      if (['.json', '.zip', '.ndjson', '.jsonl'].includes(extname(name))) {
        yield* recordsOf(join(path, name));
      }
    }
    return;
  }
  const kind = extname(path);
  if (kind === '.zip') {
    const files = accepted(readZip(readBounded(path, ADVISORY_SOURCE_BYTES_MAX)), path);
    for (const { name, content } of files) if (name.endsWith('.json')) yield content();
  } else if (kind === '.ndjson' || kind === '.jsonl') {
    const bytes = readBounded(path, ADVISORY_SOURCE_BYTES_MAX);
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(0x0a, at);
      const line = bytes.subarray(at, end < 0 ? bytes.length : end);
      if (line.length > 0) yield line;
      at = end < 0 ? bytes.length : end + 1;
    }
  } else yield readBounded(path, OSV_RECORD_BYTES_MAX);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}
