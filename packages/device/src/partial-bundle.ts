/** The folder of an unfinished enrollment, `<out>.partial`: it outlives a crash. @module */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BUNDLE_FILES } from './bundle-files.ts';
import { DeviceError } from './device-error.ts';
import type { DeviceKey, KeyStore } from './device-key.ts';
import {
  readPrivateFile,
  requirePrivateFolder,
  syncFolder,
  writePrivateFile,
} from './private-file.ts';

/** Collects the files of a bundle and gives it its name when it is whole. */
export class PartialBundle {
  readonly #out: string;
  readonly #folder: string;

  private constructor(out: string) {
    this.#out = out;
    this.#folder = `${out}.partial`;
  }

  /**
   * Opens the folder, new or left over from an earlier attempt for the same device.
   * @throws DeviceError `E_DEVICE_EXISTS`, `E_DEVICE_PARTIAL` (of another device), `E_DEVICE_MODE`
   */
  static open(out: string, deviceId: string): PartialBundle {
    requireAbsent(out);
    const partial = new PartialBundle(out);
    const folder = partial.#folder;
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    requirePrivateFolder(folder);
    const deviceFile = join(folder, DEVICE_FILE);
    if (!existsSync(deviceFile)) writePrivateFile(deviceFile, `${deviceId}\n`);
    const owner = readPrivateFile(deviceFile, 'public').trim();
    // A key must never have two identities.
    if (owner === deviceId) return partial;
    throw new DeviceError('E_DEVICE_PARTIAL', {
      message: `${folder} is left over from enrolling another device.`,
      fix: `If nobody needs it any more, remove it: rm -r ${folder}`,
    });
  }

  /**
   * The private key of the device, on P-256: made on this machine and never leaving it. A later
   * attempt finds it again, because a server that issued a certificate already repeats it only for
   * the same key.
   */
  key(keys: KeyStore): DeviceKey {
    const path = join(this.#folder, BUNDLE_FILES.key);
    if (!existsSync(path)) this.write(BUNDLE_FILES.key, keys.plan());
    try {
      return keys.make(readPrivateFile(path, 'secret'));
    } catch (cause) {
      if (cause instanceof DeviceError) throw cause;
      throw new DeviceError('E_DEVICE_PARTIAL', {
        message: `The key in ${this.#folder} is damaged.`,
        fix: `Remove it, make a new claim, and enroll again: rm -r ${this.#folder}`,
      });
    }
  }

  /** Writes one file, durably. */
  write(name: string, text: string): void {
    writePrivateFile(join(this.#folder, name), text);
  }

  /** Gives the folder its final name. */
  finish(): void {
    requireAbsent(this.#out);
    renameSync(this.#folder, this.#out);
    syncFolder(dirname(this.#out));
    // Last, so that no crash leaves a partial folder that does not say whose it is.
    rmSync(join(this.#out, DEVICE_FILE), { force: true });
  }
}

function requireAbsent(out: string): void {
  if (!existsSync(out)) return;
  throw new DeviceError('E_DEVICE_EXISTS', {
    message: `${out} exists already, and a bundle is never overwritten.`,
    fix: 'Choose another folder, or move this one away first.',
  });
}

/** Says whose enrollment this is; not part of the finished bundle. */
const DEVICE_FILE = 'device';
