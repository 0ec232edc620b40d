import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Advisory, type Release, advisoryLine } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import type { StoredArtifact } from '../ports.ts';
import { AdvisoryList } from './advisory-list.ts';
import { ADVISORY_LINE_BYTES_MAX } from './limits.ts';
import { Vulnerabilities } from './vulnerabilities.ts';

const HEAD = 'holdfast-advisories/1\n';

function advisory(id: string, more: Partial<Advisory> = {}): Advisory {
  const empty = {
    aliases: [],
    summary: '',
    severity: 'unknown',
    ranges: [],
    versions: [],
  } as const;
  return { id, ...empty, aliases: [], ranges: [], versions: ['1.0'], ...more };
}

/** Artifacts in memory, which are read in pieces of a size. */
class Lab {
  readonly artifacts = new Map<string, Uint8Array>();
  readonly removed: string[] = [];
  pieceBytes = 512;
  reads = 0;
  readonly list: AdvisoryList;
  #record: unknown;

  constructor() {
    const records = {
      read: () => undefined,
      write: (_id: string, value: unknown) => void (this.#record = value),
      remove: () => {},
      all: () => [],
    };
    this.list = new AdvisoryList({
      store: { collection: () => records },
      artifacts: {
        get: (sha256) => this.get(sha256),
        remove: async (sha256) => void this.removed.push(sha256),
      },
    });
  }

  get record(): unknown {
    return this.#record;
  }

  get(sha256: string): StoredArtifact | undefined {
    const bytes = this.artifacts.get(sha256);
    if (bytes === undefined) return undefined;
    const { pieceBytes } = this;
    const count = (): void => void (this.reads += 1);
    async function* read(start: number, end: number): AsyncGenerator<Uint8Array> {
      count();
      for (let at = start; at < end; at += pieceBytes) {
        yield bytes?.subarray(at, Math.min(end, at + pieceBytes)) ?? new Uint8Array();
      }
    }
    return { sha256, length: bytes.length, read };
  }

  put(sha256: string, text: string): void {
    this.artifacts.set(sha256, Buffer.from(text));
  }
}

const component = (name: string, version = '1.0') => ({
  name,
  version,
  purl: `pkg:npm/${name}@${version}`,
});

function release(id: string, sbom: string | undefined): Release {
  const [line = '', version = ''] = id.split('@');
  const custom = { line, version, hardware: ['a'], counter: 1 };
  const sha256 = `image of ${id}`;
  const facts = sbom === undefined ? {} : { sbom: { sha256: sbom, length: 1 } };
  return { id, path: id, length: 1, sha256, custom: { ...custom, ...facts } };
}

const bill = (...components: unknown[]): string =>
  JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components });

test('a list is counted and read, however it is cut into pieces', async () => {
  const keys = fc.array(fc.constantFrom('npm/a', 'npm/é', 'Debian/c'), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(keys, fc.integer({ min: 1, max: 60 }), async (keys, pieceBytes) => {
      const lab = new Lab();
      lab.pieceBytes = pieceBytes;
      const lines = keys.map((key, index) => advisoryLine(key, advisory(`A-${index}`)));
      lab.put('list', HEAD + lines.join(''));
      assert.equal(await lab.list.check('list'), keys.length);
      await lab.list.set({ sha256: 'list', count: keys.length, importedMs: 1 });
      const read: string[] = [];
      for await (const { key, json } of lab.list.lines()) read.push(`${key}\t${json()}\n`);
      assert.deepEqual(read, lines);
    }),
    { numRuns: 50 },
  );
});

test('what is no list is refused', async () => {
  const lab = new Lab();
  const wrong = [
    '',
    'other\n',
    HEAD.trim(),
    `${HEAD}no tab\n`,
    `${HEAD}\tno key\n`,
    `${HEAD}cut\t{`,
  ];
  for (const text of wrong) {
    lab.put('list', text);
    const refused = await lab.list.check('list');
    assert.ok(refused instanceof Refusal, text);
    assert.equal(refused.code, 'E_UPDATE_ADVISORIES');
  }
  assert.ok((await lab.list.check('absent')) instanceof Refusal);
  lab.pieceBytes = 1_048_576;
  lab.put('list', `${HEAD}k\t${'x'.repeat(ADVISORY_LINE_BYTES_MAX - 2)}\n`);
  assert.equal(await lab.list.check('list'), 1);
  lab.put('list', `${HEAD}k\t${'x'.repeat(ADVISORY_LINE_BYTES_MAX - 1)}\n`);
  assert.ok((await lab.list.check('list')) instanceof Refusal);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), fc.boolean(), async (bytes, hasHead) => {
      lab.artifacts.set('list', Buffer.concat([Buffer.from(hasHead ? HEAD : ''), bytes]));
      const outcome = await lab.list.check('list');
      assert.ok(outcome instanceof Refusal || outcome >= 0);
    }),
  );
});

test('a new list takes the place of the one before, whose artifact goes', async () => {
  const lab = new Lab();
  for (const sha256 of ['one', 'two']) lab.put(sha256, HEAD);
  await lab.list.set({ sha256: 'one', count: 0, importedMs: 1 });
  await lab.list.set({ sha256: 'one', count: 0, importedMs: 2 });
  assert.deepEqual(lab.removed, []);
  await lab.list.set({ sha256: 'two', count: 0, importedMs: 3 });
  assert.deepEqual([lab.removed, lab.list.current?.sha256], [['one'], 'two']);
  assert.deepEqual(lab.record, lab.list.current);
});

test('a list that was removed after it was checked does not count', async () => {
  const lab = new Lab();
  const refused = await lab.list.set({ sha256: 'gone', count: 0, importedMs: 1 });
  assert.ok(refused instanceof Refusal);
  assert.deepEqual([lab.record, lab.list.current], [undefined, undefined]);
});

test('each release gets what is known of its own components, the worst first', async () => {
  const lab = new Lab();
  lab.put('bill-1', bill(component('a'), component('b'), component('a', '2.0'), { name: 'own' }));
  lab.put('bill-2', bill(component('b')));
  lab.put('bill-3', '{');
  const lines = [
    advisoryLine('npm/a', advisory('LOW', { severity: 'low' })),
    advisoryLine('npm/b', advisory('HIGH', { severity: 'high' })),
    advisoryLine('npm/c', advisory('OTHER')),
    'npm/a\tnonsense\n',
  ];
  lab.put('list', HEAD + lines.join(''));
  await lab.list.set({ sha256: 'list', count: 4, importedMs: 1 });
  const releases = [
    release('l@1', 'bill-1'),
    release('l@2', 'bill-2'),
    release('l@3', 'bill-3'),
    release('l@4', undefined),
    release('l@5', 'absent'),
  ];
  const source = {
    list: () => releases,
    artifact: (sha256: string) => Promise.resolve(lab.get(sha256)),
  };
  const vulnerabilities = new Vulnerabilities({ list: lab.list, releases: source });
  const found = await vulnerabilities.find();
  assert.deepEqual(
    found.map((one) => [
      one.release.id,
      one.components,
      one.unmatched,
      one.findings.map(({ advisory }) => advisory.id).join(),
      one.problem?.code,
    ]),
    [
      ['l@1', 4, 1, 'HIGH,LOW', undefined],
      ['l@2', 1, 0, 'HIGH', undefined],
      ['l@3', 0, 0, '', 'E_UPDATE_SBOM'],
      ['l@5', 0, 0, '', 'E_UPDATE_SBOM'],
    ],
  );
  const { reads } = lab;
  assert.equal(await vulnerabilities.find(), found, 'what nothing has changed is not sought again');
  assert.equal(lab.reads, reads);
  lab.put('new', HEAD);
  await lab.list.set({ sha256: 'new', count: 0, importedMs: 2 });
  assert.deepEqual((await vulnerabilities.find()).map(({ findings }) => findings.length), [0, 0, 0, 0]); // prettier-ignore
});
