/**
 * The exchanges of the official TUF client conformance suite, as they were recorded, through the
 * fetcher and the store of the device's updater. They are not part of this project: the file is
 * beside it, or where HOLDFAST_TUF_VECTORS says.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { systemClock } from '../../packages/device/src/clock.ts';
import { fileSteps } from '../../packages/device/src/identity-files.ts';
import type { FetchPort } from '../../packages/device/src/update/fetch-port.ts';
import { MetadataStore } from '../../packages/device/src/update/metadata-store.ts';
import { TufRepository } from '../../packages/device/src/update/tuf-repository.ts';

const FILE =
  process.env['HOLDFAST_TUF_VECTORS'] ??
  join(import.meta.dirname, '../../../shared/data/tuf-conformance-vectors.jsonl.gz');

interface Exchange {
  readonly cmd: 'init' | 'refresh' | 'download';
  readonly now: string;
  readonly dir: string;
  readonly root?: string;
  readonly base?: string;
  readonly tbase?: string;
  readonly targets?: readonly string[];
  readonly http: readonly { url: string; status: number; body?: string }[];
  readonly rc: 0 | 1;
  readonly trusted?: Readonly<Record<string, number>>;
}

const folders = mkdtempSync(join(tmpdir(), 'holdfast-tuf-'));
after(() => rmSync(folders, { recursive: true, force: true }));

const isPresent = existsSync(FILE);
const skip = isPresent ? false : 'the recorded exchanges are not here: set HOLDFAST_TUF_VECTORS';

test('the recorded exchanges of the TUF conformance suite', { skip }, async () => {
  const lines = gunzipSync(readFileSync(FILE)).toString('utf8').trim().split('\n');
  const roots = new Map<string, Buffer>();
  const problems: string[] = [];
  for (const [index, line] of lines.entries()) {
    const exchange: Exchange = JSON.parse(line);
    if (exchange.root !== undefined) roots.set(exchange.dir, Buffer.from(exchange.root, 'base64'));
    const root = roots.get(exchange.dir) ?? Buffer.of();
    const problem = await replay(exchange, root);
    if (problem !== undefined) problems.push(`${index + 1}: ${exchange.base ?? ''} ${problem}`);
  }
  assert.deepEqual(problems, []);
  assert.equal(lines.length, 285);
});

/** Plays one exchange. @returns what was not as expected */
async function replay(exchange: Exchange, root: Buffer): Promise<string | undefined> {
  const place = { folder: folders, name: exchange.dir, root, steps: fileSteps };
  let outcome = 'taken';
  if (exchange.cmd !== 'init') {
    outcome = await update(exchange, place).then(
      () => 'taken',
      (error: Error) => `refused: ${error.message}`,
    );
  }
  const isRefused = outcome !== 'taken';
  if (isRefused !== (exchange.rc === 1)) return `${exchange.cmd} was ${outcome}`;
  if (exchange.trusted === undefined) return undefined;
  const { files } = new MetadataStore(place).load();
  const versions = Object.fromEntries(
    [...files].flatMap(([name, text]) => versionIn(text).map((version) => [name, version])),
  );
  if (isDeepStrictEqual(versions, exchange.trusted)) return undefined;
  return `trusts ${JSON.stringify(versions)}, not ${JSON.stringify(exchange.trusted)}`;
}

async function update(
  exchange: Exchange,
  place: { readonly folder: string; readonly name: string; readonly root: Uint8Array },
): Promise<void> {
  const repository = new TufRepository({
    ...place,
    fetch: recorded(exchange.http),
    clock: systemClock,
    baseUrl: exchange.base ?? '',
    accept: () => undefined,
    onRecovered: () => undefined,
  });
  await repository.run(Date.parse(exchange.now), async ({ updater }) => {
    await updater.refresh();
    for (const path of exchange.targets ?? []) {
      const target = await updater.getTargetInfo(path);
      if (target === undefined) throw new Error('not found');
      const file = join(folders, `${place.name}.${encodeURIComponent(path)}`);
      const isThere = (await updater.findCachedTarget(target, file)) !== undefined;
      if (!isThere) await updater.downloadTarget(target, file, exchange.tbase);
    }
  });
}

/** Answers in the recorded order for each URL. */
function recorded(http: Exchange['http']): FetchPort {
  const left = [...http];
  return {
    async get({ path }) {
      const index = left.findIndex(({ url }) => new URL(url).pathname === path);
      const [answer] = index === -1 ? [] : left.splice(index, 1);
      if (answer === undefined) throw new Error(`${path} was not asked for when it was recorded`);
      if (answer.status === 0) throw new Error('no answer');
      const body = Buffer.from(answer.body ?? '', 'base64');
      return {
        status: answer.status,
        body: (async function* () {
          yield body;
        })(),
      };
    },
  };
}

/** A root that is none, as one of the cases begins with, has no version to trust. */
function versionIn(text: string): number[] {
  try {
    const { version } = JSON.parse(text).signed;
    return version === undefined ? [] : [version];
  } catch {
    return [];
  }
}
