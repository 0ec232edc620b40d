/** Brings an image as a difference to the running one. @module */
import { createHash } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Release, streamDelta } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { type FileSteps, fileSteps } from '../identity-files.ts';
import { downloadArtifact } from './artifact-download.ts';
import type { GetDeps } from './bounded-get.ts';
import { DownloadJournal } from './download-journal.ts';
import type { DownloadOptions } from './download-options.ts';
import { updateError } from './update-error.ts';
import { openWritableFile } from './writable-file.ts';

/** Which image, out of which. */
export interface DeltaJob extends DownloadOptions {
  readonly release: Release;
  /** Where the delta is kept meanwhile. */
  readonly folder: string;
  readonly journal: DownloadJournal;
  readonly steps?: FileSteps | undefined;
}

/**
 * Makes the image of the running one, when the release has a delta from it.
 *
 * @returns false when it has none that is worth it
 * @throws DeviceError what the delta could not be had of, or that it makes another image: then the
 *   whole image is to be had instead
 */
export async function downloadByDelta(deps: GetDeps, job: DeltaJob): Promise<boolean> {
  const { release, from, folder, signal } = job;
  const delta = release.custom.deltas?.find((one) => one.from === from?.sha256);
  if (from === undefined || delta === undefined || delta.length >= release.length) return false;
  // A partition is longer than its image, so it is not what the delta starts from.
  if (!(await stat(from.path)).isFile()) return false;
  const path = join(folder, 'delta');
  const { steps = fileSteps } = job;
  const journal = new DownloadJournal(join(folder, 'delta.journal'), steps);
  const tried = new DownloadJournal(join(folder, 'delta.tried'), steps);
  // It takes the memory of three images: where that ended the process, it would do so for ever.
  if (tried.bytesOf(release.sha256) > 0) return false;
  {
    await using to = await openWritableFile(path);
    await downloadArtifact(deps, { ...delta, to, journal, signal });
  }
  tried.write(release.sha256, 1);
  try {
    await apply(path, from.path, job);
  } finally {
    tried.write(release.sha256, 0);
  }
  await rm(path, { force: true });
  return true;
}

async function apply(delta: string, base: string, job: DeltaJob): Promise<void> {
  const { release, to, journal, onProgress } = job;
  const { sha256, length } = release;
  journal.write(sha256, 0);
  await to.truncate(0);
  const hash = createHash('sha256');
  let position = 0;
  const outcome = await streamDelta({ base, delta, image: { sha256, length } }, async (parts) => {
    for await (const part of parts) {
      job.signal?.throwIfAborted();
      await to.write(position, part);
      hash.update(part);
      position += part.length;
      onProgress?.({ bytes: position, length });
    }
  });
  // What was written is hashed here, so that it does not rest on how deltas work.
  if (outcome instanceof Refusal || hash.digest('hex') !== sha256 || position !== length) {
    throw updateError('E_DEVICE_UPDATE_IMAGE', `The delta does not make ${release.id}`);
  }
  await to.sync();
  journal.write(sha256, length);
}
