/** `fw release`: brings an artifact, and makes what is to be signed of it. @module */
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ArtifactSource, Client } from '@holdfast/client';
import {
  type DetachedSignature,
  type MadeDelta,
  type ReleaseCustom,
  ReleaseCustomSchema,
  type Signer,
  releaseId,
} from '@holdfast/firmware';
import type { ArtifactView, MadeSigningRequest } from '@holdfast/protocol/api';
import { byteText } from '../byte-text.ts';
import { DATA_OPTION, JSON_OPTION, defineCommand, integerOption } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, systemWhy, usageFailure } from '../failure.ts';
import { type AskedFor, checkAsked } from '../firmware/asked-for.ts';
import { readBounded } from '../firmware/files.ts';
import { FIT_OPTIONS, fitImage } from '../firmware/fit-image.ts';
import { readKeyFile, withSigner } from '../firmware/key-source.ts';
import {
  FORMAT_OPTIONS,
  checkFormats,
  describeFile,
  detachedFiles,
  mcubootImage,
  suitFile,
  withDeltas,
} from '../firmware/release-formats.ts';
import { viewText } from '../firmware/request-text.ts';
import { writeNew } from '../new-file.ts';
import { jsonLine, printable } from '../printable.ts';
import { progressOn } from '../progress.ts';
import { withStepUp } from '../step-up.ts';
import type { World } from '../world.ts';
import { SECRET_OPTIONS } from './custody-options.ts';
import { type SignValues, signAtOnce } from './fw-sign-at-once.ts';

const EXAMPLE =
  'fw release thermo-2.1.0.bin --line thermo --release-version 2.1.0 --hardware thermo-a --counter 7';

/** Options that say what the release is; others add theirs. */
const RELEASE_OPTIONS = {
  line: { type: 'string', value: 'NAME', help: 'product line, whose keys sign it' },
  'release-version': { type: 'string', value: 'VERSION', help: 'such as 2.1.0; never used twice' },
  hardware: {
    type: 'string',
    multiple: true,
    value: 'ID',
    help: 'hardware that it is for',
  },
  counter: {
    type: 'string',
    value: 'N',
    help: 'security counter: a device never goes back to a lower one',
  },
  'minimum-version': {
    type: 'string',
    value: 'VERSION',
    help: 'what a device must run at least, to take it',
  },
  sbom: { type: 'string', value: 'FILE', help: 'CycloneDX document of what is inside' },
  severity: { type: 'string', value: 'LEVEL', help: 'none, low, medium, high or critical' },
  measurements: {
    type: 'string',
    value: 'FILE',
    help: 'what a good boot of it measures, by holdfast fw measurements',
  },
  fixes: {
    type: 'string',
    multiple: true,
    value: 'ID',
    help: 'vulnerability that it repairs, such as CVE-2026-1',
  },
} as const;

/** Brings an artifact, and asks for the signatures of its line. */
export const fwRelease: Command = defineCommand(
  {
    path: 'fw release',
    summary: 'bring an artifact, and make what the keys of its product line sign',
    details:
      'No device takes it before enough release keys have signed: send the request to who has\n' +
      'them, and bring their files back with holdfast fw submit. With --key it is signed at\n' +
      'once, with a key that is on this machine. A release never changes; a mistake is mended\n' +
      'by the next version.',
    arguments: ['file'],
    options: {
      ...RELEASE_OPTIONS,
      days: { type: 'string', value: 'N', help: 'how long the line lives (default 180)' },
      out: { type: 'string', value: 'FILE', help: 'request to write (default LINE-VERSION.json)' },
      key: { type: 'string', value: 'FILE', help: 'release key that signs at once' },
      yes: { type: 'boolean', help: 'sign without asking' },
      ...SECRET_OPTIONS,
      ...FIT_OPTIONS,
      ...FORMAT_OPTIONS,
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [EXAMPLE, `${EXAMPLE} --severity high --fixes CVE-2026-1234 --key release.key`],
  },
  async (world, { values, positionals: [given = ''] }) => {
    const days =
      values.days === undefined
        ? undefined
        : integerOption(values.days, { name: 'days', min: 1, max: 365 });
    // All of it is looked at before the first byte is sent.
    const facts = factsOf(values);
    checkFormats(values, facts);
    await withReleaseKey(world, values, async (signer) => {
      const fit = await fitImage(world, { path: given, facts, values });
      const path = await mcubootImage(fit, { facts, values, signer });
      const image = await describeFile(path);
      const files = {
        path,
        image,
        sbom: values.sbom,
        suit: await suitFile(image, { facts, values, signer }),
        detached: await detachedFiles(path, signer),
      };
      const { made, asked } = await withDeltas(path, values['delta-from'] ?? [], (deltas) =>
        withStepUp(world, values.data, (client) =>
          propose(world, client, { facts, days, files: { ...files, deltas } }),
        ),
      );
      const out = values.out ?? `${facts.line}-${facts.version}.json`;
      await deliver(world, { made, asked, out, values }, signer);
    });
  },
);

/** All that is brought for a release. */
interface ReleaseFiles {
  /** The artifact. */
  readonly path: string;
  readonly image: ArtifactView;
  readonly sbom: string | undefined;
  readonly suit: string | undefined;
  readonly detached: readonly DetachedSignature[];
  readonly deltas: readonly { readonly delta: MadeDelta; readonly path: string }[];
}

/** Brings the files, and has the server make what is to be signed. */
async function propose(
  world: World,
  client: Client,
  { facts, days, files }: { facts: ReleaseCustom; days: number | undefined; files: ReleaseFiles },
): Promise<{ made: MadeSigningRequest; asked: AskedFor }> {
  const { path, image, detached, deltas } = files;
  const { sha256 } = await upload(world, client, path);
  if (sha256 !== image.sha256) throw fileFailure(path, 'It changed while it was read.');
  const sbom = files.sbom && (await upload(world, client, files.sbom));
  const suit = files.suit && (await upload(world, client, files.suit));
  for (const delta of deltas) await upload(world, client, delta.path);
  const fileName = basename(path).replaceAll(/[^A-Za-z0-9._+-]/gu, '-');
  const release = {
    ...mutable(facts),
    ...(sbom && { sbom }),
    ...(suit && { suit }),
    ...(deltas.length > 0 && {
      deltas: deltas.map(({ delta: { from, sha256, length } }) => ({ from, sha256, length })),
    }),
    ...(detached.length > 0 && { detached: [...detached] }),
  };
  const made = await client.proposeRelease({
    sha256,
    fileName,
    release,
    ...(days !== undefined && { days }),
  });
  const { line, version } = facts;
  const target = { path: `${line}/${version}/${fileName}`, length: image.length, sha256 };
  return { made, asked: { line, add: { id: releaseId(facts), ...target, custom: release } } };
}

/** What `holdfast fw release` was told of a release. */
interface ReleaseValues {
  readonly line?: string | undefined;
  readonly 'release-version'?: string | undefined;
  readonly hardware?: readonly string[] | undefined;
  readonly counter?: string | undefined;
  readonly 'minimum-version'?: string | undefined;
  readonly severity?: string | undefined;
  readonly fixes?: readonly string[] | undefined;
  readonly measurements?: string | undefined;
}

/** What is in it is looked at with all other facts. */
function readMeasurements(path: string): unknown {
  try {
    return JSON.parse(readBounded(path, MEASUREMENTS_BYTES_MAX).toString('utf8'));
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw usageFailure(`${printable(path)} is no JSON.`, 'Make it with holdfast fw measurements.');
  }
}

function factsOf(values: ReleaseValues): ReleaseCustom {
  const { hardware = [], severity, fixes, measurements } = values;
  const { 'minimum-version': minimumVersion } = values;
  const parsed = ReleaseCustomSchema.safeParse({
    line: needed(values.line, 'line'),
    version: needed(values['release-version'], 'release-version'),
    hardware: [needed(hardware[0], 'hardware'), ...hardware.slice(1)],
    counter: integerOption(needed(values.counter, 'counter'), {
      name: 'counter',
      min: 0,
      max: 2 ** 31 - 1,
    }),
    ...(minimumVersion !== undefined && { minimumVersion }),
    ...(severity !== undefined && { severity }),
    ...(fixes !== undefined && { fixes: [...fixes] }),
    ...(measurements !== undefined && { measurements: readMeasurements(measurements) }),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? '');
  const option = OPTION_OF[name] ?? name;
  throw usageFailure(`--${option}: ${issue?.message ?? 'wrong'}.`, `For example: ${EXAMPLE}`);
}

const OPTION_OF: Readonly<Record<string, string>> = {
  version: 'release-version',
  minimumVersion: 'minimum-version',
};

function needed(value: string | undefined, name: string): string {
  if (value !== undefined && value !== '') return value;
  throw usageFailure(`--${name} is missing.`, `For example: holdfast ${EXAMPLE}`);
}

/** Brings a file, and shows how far it is. */
export async function upload(world: World, client: Client, path: string): Promise<ArtifactView> {
  const progress = progressOn(world.stderr);
  const file = await openFile(path);
  try {
    const source = await sourceOf(file, path);
    const onProgress = (received: number): void => {
      const text = `Bringing ${printable(basename(path))}, ${byteText(source.length)}`;
      progress.bar(received, source.length, text);
    };
    return await client.uploadArtifact(source, { onProgress });
  } finally {
    progress.clear();
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw fileFailure(path, systemWhy(cause), cause);
  }
}

async function sourceOf(file: FileHandle, path: string): Promise<ArtifactSource> {
  const stat = await file.stat();
  if (!stat.isFile() || stat.size === 0) throw fileFailure(path, 'It is empty, or no file.');
  return {
    length: stat.size,
    read: async (start, end) => {
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      if (bytesRead === bytes.length) return bytes;
      throw fileFailure(path, 'It became shorter while it was read.');
    },
  };
}

function fileFailure(path: string, why: string | undefined, cause?: unknown): Failure {
  return new Failure('E_CLI_FILE', {
    what: `${path} cannot be read.`,
    why,
    fix: 'Check the path and who may read it.',
    cause,
  });
}

/** Writes the request and says how to go on; or signs it, where a key was given. */
export async function deliver(
  world: World,
  {
    made,
    asked,
    out,
    values,
  }: { made: MadeSigningRequest; asked: AskedFor; out: string; values: SignValues },
  signer?: Signer,
): Promise<void> {
  const openKey: typeof withSigner | undefined =
    signer === undefined ? undefined : (_world, _key, act) => act(signer);
  writeNew(out, `${JSON.stringify(made.request)}\n`, { mode: 0o644 });
  if (values.key !== undefined) checkAsked(made.request, asked, values.yes !== true);
  const signed =
    values.key === undefined ? undefined : await signAtOnce(world, out, values, openKey);
  const view = signed?.request ?? made.view;
  const isPublished = signed?.isPublished === true;
  const { stdout } = world;
  if (values.json === true)
    return stdout.write(jsonLine({ file: out, request: view, isPublished }));
  stdout.write(viewText(view));
  if (isPublished) return stdout.write('Published: devices can be told to take it.\n');
  stdout.write(`\nNothing has changed yet. Send ${printable(out)} to who has to sign:\n`);
  stdout.write(`  holdfast fw sign ${printable(out)} --key THEIR.key\n`);
  stdout.write('and bring their files back: holdfast fw submit FILE...\n');
}

/** Calls `act` with the release key of this machine, where one was given. */
async function withReleaseKey(
  world: World,
  values: SignValues,
  act: (signer: Signer | undefined) => Promise<void>,
): Promise<void> {
  const { key: path } = values;
  if (path === undefined) return act(undefined);
  await withSigner(world, { path, file: readKeyFile(path), secrets: values }, act);
}

/** As the API takes it: with arrays of its own. */
function mutable({ hardware, fixes, ...rest }: ReleaseCustom) {
  const { deltas: _deltas, detached: _detached, ...plain } = rest;
  return { ...plain, hardware: [...hardware], ...(fixes && { fixes: [...fixes] }) };
}

/** Longest file of measurements: 24 PCRs with 256 events. */
const MEASUREMENTS_BYTES_MAX = 524_288;
