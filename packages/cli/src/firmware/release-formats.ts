/** What `fw release` makes beside TUF targets: MCUboot, SUIT, detached signatures, deltas. @module */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  DETACHED_BYTES_MAX,
  type DetachedSignature,
  MCUBOOT_BYTES_MAX,
  type MadeDelta,
  type McubootSlot,
  type ReleaseCustom,
  type Signer,
  makeDelta,
  publicKeyOf,
  readMcuboot,
  readMcubootVersion,
  readSuit,
  sha256File,
  signDetached,
  signMcuboot,
  suitEnvelope,
  suitManifest,
} from '@holdfast/firmware';
import { type OptionSet, integerOption } from '../command.ts';
import { Failure, systemWhy, unreadable, usageFailure } from '../failure.ts';
import { accepted } from './accepted.ts';
import { readBounded } from './files.ts';

/** The options of these formats. */
export const FORMAT_OPTIONS = {
  'delta-from': {
    type: 'string',
    multiple: true,
    value: 'FILE',
    help: 'image of an older release that devices still run: they get the difference alone',
  },
  mcuboot: { type: 'boolean', help: 'sign FILE for the MCUboot boot loader (needs --key)' },
  'mcuboot-header': { type: 'string', value: 'N', help: 'bytes of its header (default 512)' },
  'mcuboot-pad-header': { type: 'boolean', help: 'FILE has no room for the header: put it before' },
  'mcuboot-slot': { type: 'string', value: 'N', help: 'fill up a slot of N bytes, to be flashed' },
  'mcuboot-align': { type: 'string', value: 'N', help: 'smallest write of the flash (default 1)' },
  suit: { type: 'boolean', help: 'make a SUIT envelope as well (needs --key and --suit-vendor)' },
  'suit-vendor': { type: 'string', value: 'DOMAIN', help: 'whose devices they are' },
  'suit-uri': { type: 'string', value: 'URI', help: 'where devices fetch the image' },
} as const satisfies OptionSet;

/** The values of these options. */
export interface FormatValues {
  readonly 'delta-from'?: readonly string[] | undefined;
  readonly mcuboot?: boolean | undefined;
  readonly 'mcuboot-header'?: string | undefined;
  readonly 'mcuboot-pad-header'?: boolean | undefined;
  readonly 'mcuboot-slot'?: string | undefined;
  readonly 'mcuboot-align'?: string | undefined;
  readonly suit?: boolean | undefined;
  readonly 'suit-vendor'?: string | undefined;
  readonly 'suit-uri'?: string | undefined;
}

/** Looks at the options before anything is done. @throws Failure `E_CLI_USAGE` */
export function checkFormats(
  values: FormatValues & { readonly key?: string | undefined },
  { version }: ReleaseCustom,
): void {
  if ((values.mcuboot === true || values.suit === true) && values.key === undefined) {
    throw usageFailure('These formats are signed by a release key.', 'Give --key FILE as well.');
  }
  if (values.mcuboot === true && readMcubootVersion(version) === undefined) {
    throw usageFailure(
      `MCUboot has no version "${version}".`,
      'It counts as 2.1.0+45: up to 255, 255, 65535 and 4294967295.',
    );
  }
  if (values.suit === true && values['suit-vendor'] === undefined) {
    throw usageFailure(
      'A SUIT manifest names the vendor of the devices.',
      'Give --suit-vendor example.com.',
    );
  }
  if ((values['delta-from'] ?? []).length > DELTAS_MAX) {
    throw usageFailure(`A release has at most ${DELTAS_MAX} deltas.`, 'Give fewer --delta-from.');
  }
}

/** The artifact as the release names it. @throws Failure `E_CLI_FILE` */
export async function describeFile(path: string): Promise<{ sha256: string; length: number }> {
  const hash = createHash('sha256');
  let length = 0;
  try {
    for await (const part of createReadStream(path)) {
      const bytes: Uint8Array = part;
      hash.update(bytes);
      length += bytes.length;
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  return { sha256: hash.digest('hex'), length };
}

/** The file that is released: the one that was given, or signed for MCUboot beside the request. */
export async function mcubootImage(
  path: string,
  {
    facts,
    values,
    signer,
  }: { facts: ReleaseCustom; values: FormatValues; signer?: Signer | undefined },
): Promise<string> {
  const version = readMcubootVersion(facts.version);
  if (values.mcuboot !== true || signer === undefined || version === undefined) return path;
  const image = readBounded(path, MCUBOOT_BYTES_MAX);
  const headerBytes = numberOf(values, 'mcuboot-header', { min: 32, max: 65_535 }) ?? 512;
  const options = {
    version,
    counter: facts.counter,
    headerBytes,
    padHeader: values['mcuboot-pad-header'] === true,
    slot: slotOf(values),
  };
  const signed = accepted(await signMcuboot(image, signer, options), path);
  // What goes out is read once more, as a boot loader would.
  accepted(readMcuboot(signed, keysOf(signer)), path);
  const out = `${facts.line}-${facts.version}.mcuboot.bin`;
  writeBeside(out, signed);
  return out;
}

/** The detached signatures, also as files beside the request. */
export async function detachedFiles(
  path: string,
  signer: Signer | undefined,
): Promise<DetachedSignature[]> {
  // Without a key, and for what only devices with metadata can hold, there are none.
  if (signer === undefined || statSync(path).size > DETACHED_BYTES_MAX) return [];
  const artifact = readFileSync(path);
  const signatures = accepted(await signDetached(artifact, [signer]), path);
  const sha256 = createHash('sha256').update(artifact).digest('hex');
  writeBeside(`${path}.sha256`, sha256File(sha256, basename(path)));
  for (const { signature } of signatures) {
    writeBeside(`${path}.sig`, Buffer.from(signature, 'base64'));
  }
  return signatures;
}

/** The SUIT envelope, as a file beside the request; undefined when nobody asked for one. */
export async function suitFile(
  image: { readonly sha256: string; readonly length: number },
  {
    facts,
    values,
    signer,
  }: { facts: ReleaseCustom; values: FormatValues; signer?: Signer | undefined },
): Promise<string | undefined> {
  const { 'suit-vendor': vendor = '', 'suit-uri': given } = values;
  if (values.suit !== true || signer === undefined) return undefined;
  // Relative to the server that the envelope comes from.
  const uri = given ?? `/update/v1/artifact/${image.sha256}`;
  const { hardware, counter: sequence } = facts;
  const envelope = await suitEnvelope(suitManifest({ vendor, hardware, sequence, image, uri }), [
    signer,
  ]);
  const out = `${facts.line}-${facts.version}.suit`;
  accepted(readSuit(envelope, keysOf(signer)), out);
  writeBeside(out, envelope);
  return out;
}

/** Makes the deltas, and calls `use` with each file while it is there. */
export async function withDeltas<T>(
  image: string,
  bases: readonly string[],
  use: (deltas: readonly { readonly delta: MadeDelta; readonly path: string }[]) => Promise<T>,
): Promise<T> {
  if (bases.length === 0) return use([]);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-delta-'));
  try {
    const deltas: { delta: MadeDelta; path: string }[] = [];
    for (const [index, base] of bases.entries()) {
      // Whether it can be read is said here, in plain words.
      await describeFile(base);
      const path = join(folder, `${index}.zst`);
      deltas.push({ delta: accepted(await makeDelta({ base, image, out: path }), base), path });
    }
    return await use(deltas);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function slotOf(values: FormatValues): McubootSlot | undefined {
  const bytes = numberOf(values, 'mcuboot-slot', { min: 1, max: MCUBOOT_BYTES_MAX });
  const align = numberOf(values, 'mcuboot-align', { min: 1, max: 32 });
  return bytes === undefined ? undefined : { bytes, ...(align !== undefined && { align }) };
}

function numberOf(
  values: FormatValues,
  name: 'mcuboot-header' | 'mcuboot-slot' | 'mcuboot-align',
  bounds: { min: number; max: number },
): number | undefined {
  const text = values[name];
  return text === undefined ? undefined : integerOption(text, { name, ...bounds });
}

function keysOf(signer: Signer) {
  const key = publicKeyOf(signer.key);
  return key === undefined ? [] : [key];
}

/** Replaces what an attempt before has left: it is made of the same file. */
function writeBeside(path: string, content: Uint8Array | string): void {
  try {
    writeFileSync(path, content);
  } catch (cause) {
    throw new Failure('E_CLI_FILE', {
      what: `${path} cannot be written.`,
      why: systemWhy(cause),
      fix: 'Go to a folder of yours.',
      cause,
    });
  }
}

/** As many as a release names. */
const DELTAS_MAX = 16;
