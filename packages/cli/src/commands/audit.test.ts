import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ApiError } from '@holdfast/client';
import type { Client } from '@holdfast/client';
import type { Evidence, VerifiedLog } from '@holdfast/protocol/api';
import type { VerifyReport } from '@holdfast/server';
import { FakeWorld } from '../fake-world.ts';

const GOOD: VerifiedLog = {
  ok: true,
  since: 0,
  entries: 10,
  messages: 8,
  acts: 2,
  refusals: 0,
  events: 0,
  erased: 0,
  expired: 0,
  checkpoints: 1,
  size: 10,
  root: 'ab'.repeat(32),
  seconds: 0.5,
  findings: [],
};

const EVIDENCE: Evidence = {
  format: 'holdfast-evidence/v1',
  verifierKey: 'log+00000000+AA==',
  checkpoint: 'log\n1\nAA==\n\n— log AAAAAAA=\n',
  device: 'valve-3',
  reading: { index: 7, leaf: 'AA==', proof: [] },
  acts: [],
  actsLeftOut: false,
  certificates: [],
};

describe('audit verify of a server that runs', () => {
  const clientOf = (verifyLog: Client['verifyLog']): Partial<Client> => ({
    checkpoint: () => Promise.resolve('the newest\n'),
    verifyLog,
  });

  it('asks the server, shows how far it is, and keeps the checkpoint of a good end', async () => {
    const client = clientOf((_request, options) => {
      options?.onProgress?.({ done: 5, size: 10 });
      return Promise.resolve(GOOD);
    });
    const world = new FakeWorld({ client, isTty: true });
    const kept = join(world.home, 'good.txt');
    assert.equal(await world.run('audit', 'verify', '--save', kept), 0);
    assert.match(world.errText, /5 of 10 entries/u);
    assert.match(world.outText, /✓ Nothing was changed[^]*20 entries a second[^]*says of itself/u);
    assert.equal(readFileSync(kept, 'utf8'), 'the newest\n');
  });

  it('ends with 1 for a finding, and keeps no checkpoint', async () => {
    const findings = [{ entries: { first: 3, last: 4 }, what: 'are missing' }];
    const client = clientOf(() => Promise.resolve({ ...GOOD, ok: false, findings }));
    const world = new FakeWorld({ client });
    const kept = join(world.home, 'good.txt');
    assert.equal(await world.run('audit', 'verify', '--save', kept), 1);
    assert.match(world.outText, /✗ entries 3 to 4: are missing/u);
    assert.throws(() => readFileSync(kept));
  });

  it('sends the checkpoints, and is cancelled by a signal', async () => {
    const world = new FakeWorld({
      client: clientOf((request, options) => {
        assert.deepEqual(request, { since: 'S', against: undefined });
        return new Promise((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
          for (const stop of world.stopListeners) stop();
        });
      }),
    });
    const since = join(world.home, 'since.txt');
    writeFileSync(since, 'S');
    assert.equal(await world.run('audit', 'verify', '--since', since), 1);
    assert.match(world.errText, /was cancelled/u);
  });

  it('checks the folder when the server is gone, and takes no key for one that runs', async () => {
    const gone = new ApiError({ code: 'E_CLIENT_UNREACHABLE', message: 'gone', fix: '' });
    const offline: VerifyReport = {
      ...GOOD,
      findings: [],
      verifierKey: 'k',
      keySource: 'data folder',
      checkpoint: undefined,
    };
    const client: Partial<Client> = { checkpoint: () => Promise.reject(gone) };
    const verifyData = () => Promise.resolve(offline);
    const world = new FakeWorld({ client, server: { verifyData } });
    assert.equal(await world.run('audit', 'verify'), 0);
    assert.match(world.outText, /The key came from the folder/u);
    assert.equal(await new FakeWorld({ client }).run('audit', 'verify', '--key', 'k'), 2);
    assert.equal(await new FakeWorld({ client }).run('audit', 'verify', '--live'), 3);
  });
});

describe('audit prove and audit check', () => {
  it('writes the bundle of a reading', async () => {
    const asked: unknown[] = [];
    const client: Partial<Client> = {
      proveReading: (...what) => {
        asked.push(what);
        return Promise.resolve(EVIDENCE);
      },
    };
    const world = new FakeWorld({ client });
    const out = join(world.home, 'e.json');
    assert.equal(await world.run('audit', 'prove', 'valve-3', '--reading', '7', '--out', out), 0);
    assert.deepEqual(JSON.parse(readFileSync(out, 'utf8')), EVIDENCE);
    assert.match(world.outText, /proves entry 7, a reading of valve-3/u);
    const printing = new FakeWorld({ client });
    assert.equal(await printing.run('audit', 'prove', 'valve-3'), 0);
    assert.deepEqual(JSON.parse(printing.outText), EVIDENCE);
    assert.deepEqual(asked, [
      ['valve-3', { index: 7 }],
      ['valve-3', {}],
    ]);
    assert.equal(await new FakeWorld({ client }).run('audit', 'prove', 'v', '--reading', '-1'), 2);
  });

  const BAD: [name: string, content: string, expected: RegExp][] = [
    ['no JSON', '{', /is no bundle of evidence/u],
    ['another format', JSON.stringify({ ...EVIDENCE, format: 'v2' }), /is no bundle/u],
    ['one more member', JSON.stringify({ ...EVIDENCE, more: 1 }), /is no bundle/u],
    ['a key that is none', JSON.stringify(EVIDENCE), /That is no key of the log/u],
  ];
  for (const [name, content, expected] of BAD) {
    it(`refuses ${name}`, async () => {
      const world = new FakeWorld();
      const file = join(world.home, 'e.json');
      writeFileSync(file, content);
      assert.equal(await world.run('audit', 'check', file), 1);
      assert.match(world.errText, expected);
    });
  }
});
