/** What both repositories say of one release, and whether it fits this device. @module */
import { type Release, ReleaseCustomSchema, releaseId } from '@holdfast/firmware';
import type { TargetFile } from '@tufjs/models';
import { updateError } from './update-error.ts';

/** What this device is, for the question whether a release fits. */
export interface OwnTraits {
  readonly hardware: string;
  /** Security counter of the confirmed image. */
  readonly counter: number;
}

/**
 * The release that both name. What is said of it counts as the release keys signed it: of the
 * director only path, length and hash are looked at.
 *
 * @param image - undefined when the image repository has no such target
 * @throws DeviceError `E_DEVICE_UPDATE_DISAGREE`, `…_METADATA`, `…_HARDWARE`, `…_COUNTER`
 */
export function agreedRelease(
  { director, image }: { readonly director: TargetFile; readonly image: TargetFile | undefined },
  own: OwnTraits,
): Release {
  const { path } = director;
  if (image === undefined) throw disagree(`${path} is not in the image repository`);
  const sha256 = image.hashes['sha256'];
  const isSame = sha256 !== undefined && director.hashes['sha256'] === sha256;
  if (!isSame || director.length !== image.length || image.path !== path) {
    throw disagree(`${path} has another hash or length in the image repository`);
  }
  const release = readRelease(image, sha256);
  const { custom, id } = release;
  if (!custom.hardware.includes(own.hardware)) {
    const what = `${id} is for ${custom.hardware.join(', ')}, this is ${own.hardware}`;
    throw updateError('E_DEVICE_UPDATE_HARDWARE', what);
  }
  if (custom.counter < own.counter) {
    const what = `${id} has the counter ${custom.counter}, this device is at ${own.counter}`;
    throw updateError('E_DEVICE_UPDATE_COUNTER', what);
  }
  return release;
}

function readRelease({ path, length, custom }: TargetFile, sha256: string): Release {
  // Not strict: a field that a later version adds must not keep this device from updating to it.
  const read = ReleaseCustomSchema.strip().safeParse(custom);
  if (!read.success || !SHA256.test(sha256) || length < 1) {
    throw updateError('E_DEVICE_UPDATE_METADATA', `What is said of ${path} has not its form`);
  }
  const { line, version } = read.data;
  if (!path.startsWith(`${line}/${version}/`)) {
    throw updateError('E_DEVICE_UPDATE_METADATA', `${path} says that it is ${line}@${version}`);
  }
  return { id: releaseId(read.data), path, length, sha256, custom: read.data };
}

function disagree(what: string): Error {
  return updateError('E_DEVICE_UPDATE_DISAGREE', what);
}

const SHA256 = /^[0-9a-f]{64}$/u;
