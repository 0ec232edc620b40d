/** `fw release --fit`: wraps a kernel into a FIT image that U-Boot checks by itself. @module */
import { writeFileSync } from 'node:fs';
import {
  FIT_PART_BYTES_MAX,
  type ReleaseCustom,
  makeFit,
  readBootKeyFile,
  releaseId,
} from '@holdfast/firmware';
import type { OptionSet } from '../command.ts';
import { Failure, systemWhy, usageFailure } from '../failure.ts';
import { readSecret, readSecretFile } from '../secret-source.ts';
import type { World } from '../world.ts';
import { accepted } from './accepted.ts';
import { readBounded } from './files.ts';

/** The options that a FIT image needs. */
export const FIT_OPTIONS = {
  fit: { type: 'boolean', help: 'FILE is a kernel: release it as a signed FIT image for U-Boot' },
  'fit-tree': { type: 'string', value: 'FILE', help: 'device tree that the kernel gets' },
  'fit-load': {
    type: 'string',
    value: 'ADDRESS',
    help: 'where the kernel goes, such as 0x40400000',
  },
  'fit-architecture': { type: 'string', value: 'NAME', help: 'of the kernel (default arm64)' },
  'boot-key': { type: 'string', value: 'FILE', help: 'key of holdfast fw boot-key make' },
  'boot-passphrase-fd': { type: 'string', value: 'N', help: 'its passphrase, from descriptor N' },
  'boot-passphrase-file': { type: 'string', value: 'FILE', help: 'its passphrase, from a file' },
} as const satisfies OptionSet;

/** The values of these options. */
export type FitValues = Readonly<
  Partial<Record<Exclude<keyof typeof FIT_OPTIONS, 'fit'>, string | undefined>> & {
    fit?: boolean | undefined;
  }
>;

/**
 * The file that is released: the one that was given, or a FIT image out of it, which is written
 * beside the request.
 * @throws Failure `E_CLI_USAGE`, `E_CLI_FILE`, `E_UPDATE_FIT`
 */
export async function fitImage(
  world: World,
  { path, facts, values }: { path: string; facts: ReleaseCustom; values: FitValues },
): Promise<string> {
  const { 'fit-tree': tree, 'boot-key': keyPath, 'fit-load': load } = values;
  if (values.fit !== true) {
    if (tree === undefined && keyPath === undefined && load === undefined) return path;
    throw usageFailure('These options are for a FIT image.', 'Give --fit as well.');
  }
  if (tree === undefined || keyPath === undefined || load === undefined) {
    throw usageFailure(
      'A FIT image needs --fit-tree, --fit-load and --boot-key.',
      'See holdfast fw release --help, and docs/guides/firmware.md.',
    );
  }
  const loadAt = addressOf(load);
  const kernel = readBounded(path, FIT_PART_BYTES_MAX);
  const content = {
    release: releaseId(facts),
    version: facts.version,
    counter: facts.counter,
    hardware: facts.hardware,
    madeMs: world.nowMs(),
    tree: readBounded(tree, FIT_PART_BYTES_MAX),
    kernel: {
      bytes: kernel,
      architecture: values['fit-architecture'] ?? 'arm64',
      compression: 'none',
      loadAt,
      enterAt: loadAt,
    },
  } as const;
  const file = accepted(readBootKeyFile(readSecretFile(keyPath)), keyPath);
  const passphrase = await readSecret(world, secretOf(values), `Passphrase of ${keyPath}: `);
  const { openBootKey } = await world.server();
  const image = accepted(await makeFit(content, await openBootKey(file, passphrase)), path);
  const out = `${facts.line}-${facts.version}.itb`;
  try {
    writeFileSync(out, image, { flag: 'wx' });
  } catch (cause) {
    throw new Failure('E_CLI_FILE', {
      what: `${out} cannot be written.`,
      why: systemWhy(cause),
      fix: 'Go to a folder of yours in which there is no such file yet.',
      cause,
    });
  }
  return out;
}

function addressOf(text: string): number {
  if (/^0x[0-9a-f]{1,8}$/iu.test(text)) return Number(text);
  throw usageFailure(`"${text}" is no address.`, 'Give --fit-load as 0x with up to eight digits.');
}

function secretOf(values: FitValues) {
  return {
    what: 'passphrase',
    fd: { option: 'boot-passphrase-fd', value: values['boot-passphrase-fd'] },
    file: { option: 'boot-passphrase-file', value: values['boot-passphrase-file'] },
  };
}
