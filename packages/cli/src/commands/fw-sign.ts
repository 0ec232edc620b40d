/** `fw sign`: looks at a signing request and signs it, on the signer's own machine. @module */
import { existsSync, renameSync, rmSync } from 'node:fs';
import {
  type CheckedDocument,
  type CheckedRequest,
  NOTHING_SEEN,
  type Published,
  REQUEST_BYTES_MAX,
  type Seen,
  checkRequest,
  comparePast,
  documentsFor,
  openPublished,
  readPublicKey,
  readRequest,
  readSeen,
  repeatedVersions,
  seenAfter,
  signRequest,
  summaryOf,
} from '@holdfast/firmware';
import { refuse } from '@holdfast/protocol';
import { defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { accepted } from '../firmware/accepted.ts';
import { readBounded } from '../firmware/files.ts';
import { type KeySecrets, readKeyFile, withSigner } from '../firmware/key-source.ts';
import { summaryText } from '../firmware/request-text.ts';
import { writeNew } from '../new-file.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { readText } from '../text-source.ts';
import { typeToConfirm } from '../type-to-confirm.ts';
import type { World } from '../world.ts';
import { SECRET_OPTIONS } from './custody-options.ts';

/** Signs a request. */
export const fwSign: Command = defineCommand(
  {
    path: 'fw sign',
    summary: 'see what a signing request changes, and sign it; needs no server',
    details:
      'What is shown is found in the documents that are signed, on this machine: the file\n' +
      'cannot say one thing and be another. What your key has seen stands beside it, in\n' +
      'KEY.seen.json, so that nobody can show you another past; keep the two together.',
    arguments: ['request'],
    options: {
      key: { type: 'string', value: 'FILE', help: 'your key, as holdfast fw key make wrote it' },
      out: { type: 'string', value: 'FILE', help: 'file of signatures to write' },
      yes: { type: 'boolean', help: 'do not ask' },
      ...SECRET_OPTIONS,
      json: JSON_OPTION,
    },
    examples: ['fw sign request.json --key alice.key'],
  },
  (world, { values, positionals: [path = ''] }) => signFile(world, { path, values }),
);

/** Options of whoever signs. */
export interface SignFileValues extends KeySecrets {
  readonly key?: string | undefined;
  readonly out?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
  /** It was held against what was asked for already. */
  readonly isAsked?: boolean | undefined;
}

/** Shows a request, asks, signs. @param openKey - of who has opened the key already */
export async function signFile(
  world: World,
  { path, values }: { readonly path: string; readonly values: SignFileValues },
  openKey: typeof withSigner = withSigner,
): Promise<void> {
  if (values.key === undefined) throw usageFailure('It needs your key.', 'Give --key FILE.');
  const file = readKeyFile(values.key);
  const seenPath = `${values.key.replace(/\.key$/u, '')}.seen.json`;
  const seen = seenAt(seenPath);
  // Read once: what was shown is what is signed, whatever happens to the file meanwhile.
  const { request, published } = openRequest(world, { path, seen });
  const key = accepted(readPublicKey(file.publicKey), values.key);
  const documents = documentsFor(request, key.keyID);
  if (documents.length === 0) throw noPart(path, file.name);
  const repeated = repeatedVersions(seen, documents);
  show(world, { request, repeated, seen });
  if (values.yes === true && values.isAsked !== true) refuseUnseen(repeated);
  if (values.yes !== true) await confirm(world, { request, name: file.name, documents });
  const out = values.out ?? `${path.replace(/\.json$/u, '')}.${file.name}.sig.json`;
  const signed = await openKey(world, { path: values.key, file, secrets: values }, async (signer) =>
    accepted(await signRequest(request, signer), path),
  );
  keepSeen(seenPath, seenAfter(seen, { published, request, documents }));
  writeNew(out, `${JSON.stringify(signed)}\n`, { mode: 0o644 });
  const { stdout } = world;
  if (values.json === true) return stdout.write(jsonLine({ file: out, ...signed }));
  stdout.write(`Signed. Bring back: ${printable(out)}\n`);
}

function openRequest(
  world: World,
  { path, seen }: { readonly path: string; readonly seen: Seen },
): { request: CheckedRequest; published: Published } {
  const file = accepted(readRequest(readBounded(path, REQUEST_BYTES_MAX)), path);
  const published = accepted(openPublished(file.published), path);
  accepted(comparePast(seen, { published, history: file.history }), path);
  const context = { published, nowMs: world.nowMs() };
  const request = accepted(checkRequest(file.documents, context), path);
  const other = 'It bears the id of another request: its documents were exchanged.';
  const isSame = request.id === file.id;
  return accepted(isSame ? { request, published } : refuse('E_UPDATE_REQUEST', other), path);
}

function show(
  world: World,
  {
    request,
    repeated,
    seen,
  }: {
    readonly request: CheckedRequest;
    readonly repeated: readonly string[];
    readonly seen: Seen;
  },
): void {
  const { stderr } = world;
  const paint = paintFor(stderr);
  stderr.write(`Request ${request.id.slice(0, 16)}\n\n`);
  stderr.write(`${summaryText(summaryOf(request, world.nowMs()), paint)}\n`);
  if (seen.roots.length === 0) {
    stderr.write(
      paint.bad(
        '! Your key has seen none of these repositories yet. Let each signer read you their key id,\n' +
          '  and compare it with the one above, before you sign.\n',
      ),
    );
  }
  for (const warning of repeated) {
    stderr.write(paint.bad(`! ${printable(warning)}\n`));
  }
}

/** Nobody sees the warnings where nobody is asked. */
function refuseUnseen(repeated: readonly string[]): void {
  const [first] = repeated;
  if (first === undefined) return;
  throw new Failure('E_CLI_NOT_CONFIRMED', {
    what: 'Nothing was signed: without being asked, a key signs no version twice.',
    why: printable(first),
    fix: 'Look at it: run the same command without --yes.',
  });
}

async function confirm(
  { input }: World,
  asked: {
    readonly request: CheckedRequest;
    readonly name: string;
    readonly documents: readonly CheckedDocument[];
  },
): Promise<void> {
  const { request, name, documents } = asked;
  if (!input.isTty) {
    throw usageFailure('There is nobody to ask.', 'Run it on a terminal, or give --yes.');
  }
  const all = documents.length === request.documents.length;
  const which = all ? 'all of it' : documents.map(({ role }) => role).join(', ');
  const question = `The key of ${name} signs ${which}. Type sign to go on: `;
  const fix = 'Type sign when asked, if it is what you expect; else ask who made the request.';
  await typeToConfirm({ input }, { question, word: 'sign', not: 'Nothing was signed.', fix });
}

function seenAt(path: string): Seen {
  return existsSync(path) ? accepted(readSeen(readText(path)), path) : NOTHING_SEEN;
}

/** Written before the signature leaves: what was signed must not be forgotten. */
function keepSeen(path: string, seen: Seen): void {
  const partial = `${path}.partial`;
  rmSync(partial, { force: true });
  writeNew(partial, `${JSON.stringify(seen)}\n`);
  renameSync(partial, path);
}

function noPart(path: string, name: string): Failure {
  return new Failure('E_UPDATE_KEY', {
    what: `There is nothing for the key of ${name} to sign in ${path}.`,
    why: 'None of the roles that the request changes is signed by this key.',
    fix: 'Check that it is the right request, and the right key: holdfast fw key show.',
  });
}
