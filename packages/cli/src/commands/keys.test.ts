import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeWorld } from '../fake-world.ts';

const NOTE = {
  version: 1,
  setId: '0badcafe',
  madeAt: '2026-11-21T04:00:00.000Z',
  count: 3,
  threshold: 2,
} as const;
const LONG = 'correct horse battery staple';

function escrowing(isTty: boolean, texts: readonly string[]) {
  const asked: unknown[] = [];
  const world = new FakeWorld({
    isTty,
    server: {
      makeEscrow: (options) => {
        asked.push({ count: options.count, threshold: options.threshold });
        return Promise.resolve({ note: NOTE, texts });
      },
    },
  });
  return { world, asked };
}

test('shares are shown once, each with what it is', async () => {
  const { world, asked } = escrowing(true, ['HFS1-A', 'HFS1-B', 'HFS1-C']);
  assert.equal(await world.run('keys', 'escrow'), 0);
  assert.deepEqual(asked, [{ count: 3, threshold: 2 }]);
  for (const text of ['HFS1-A', 'HFS1-B', 'HFS1-C']) assert.ok(world.outText.includes(text));
  assert.match(world.outText, /share 2 of 3, set 0badcafe, 2026-11-21: any 2 open/u);
});

test('where nobody sees them, shares go to files of their own or nowhere', async () => {
  const piped = escrowing(false, ['HFS1-A', 'HFS1-B']);
  assert.equal(await piped.world.run('keys', 'escrow'), 2);
  assert.deepEqual(piped.asked, []);
  const { world } = escrowing(false, ['HFS1-A', 'HFS1-B']);
  const out = join(world.home, 'share');
  assert.equal(await world.run('keys', 'escrow', '--out', out), 0);
  assert.doesNotMatch(world.outText, /HFS1/u);
  assert.match(readFileSync(`${out}-2`, 'utf8'), /^HFS1-B\n/u);
  assert.equal(statSync(`${out}-1`).mode & 0o777, 0o600);
});

test('both ends of the numbers of shares', async () => {
  const cases: [string[], number][] = [
    [['--shares', '1'], 2],
    [['--shares', '2'], 0],
    [['--shares', '16'], 0],
    [['--shares', '17'], 2],
    [['--threshold', '1'], 2],
    [['--threshold', '3'], 0],
    [['--threshold', '4'], 2],
  ];
  for (const [args, code] of cases) {
    const { world } = escrowing(true, []);
    assert.equal(await world.run('keys', 'escrow', ...args), code, args.join(' '));
  }
});

test('shares are typed until nothing more comes', async () => {
  const recovered: (readonly string[])[] = [];
  const world = new FakeWorld({
    isTty: true,
    answers: ['HFS1-A', ' HFS1-C ', ''],
    server: { recoverUnsealKey: (_, shares) => void recovered.push(shares) },
  });
  assert.equal(await world.run('keys', 'recover'), 0);
  assert.deepEqual(recovered, [['HFS1-A', 'HFS1-C']]);
});

test('a new passphrase is long, typed twice, and the old one is asked for by name', async () => {
  const given: string[] = [];
  const worldWith = (answers: readonly string[]) =>
    new FakeWorld({
      isTty: true,
      answers,
      server: {
        changeCustody: async ({ to, askPassphrase }) => {
          assert.deepEqual(to, { kind: 'passphrase' });
          given.push(await (askPassphrase?.('present') ?? assert.fail()));
          given.push(await (askPassphrase?.('new') ?? assert.fail()));
          given.push(await (askPassphrase?.('new') ?? assert.fail()));
          return { before: 'passphrase', after: 'passphrase' };
        },
      },
    });
  const good = worldWith(['old', LONG, LONG]);
  assert.equal(await good.run('keys', 'set-custody', 'passphrase'), 0, good.errText);
  assert.deepEqual(given, ['old', LONG, LONG], 'it is asked for once, however often it is used');
  assert.match(good.errText, /^Passphrase of the data folder: New passphrase/u);
  assert.equal(
    await worldWith(['old', LONG, `${LONG}!`]).run('keys', 'set-custody', 'passphrase'),
    1,
  );
  assert.equal(
    await worldWith(['old', 'fourteen chars']).run('keys', 'set-custody', 'passphrase'),
    1,
  );
});

test('a keeper without its place, or a place without its keeper, is refused', async () => {
  const lines = [
    ['keys', 'set-custody', 'pkcs11'],
    ['keys', 'set-custody', 'cloud'],
    ['keys', 'set-custody', 'aws-kms', '--kms-key', 'k'],
    ['keys', 'set-custody', 'vault', '--vault-url', 'https://v'],
    [
      'keys',
      'set-custody',
      'vault',
      '--vault-url',
      'http://v:8200',
      '--vault-key',
      'k',
      '--vault-token-file',
      'f',
    ],
    ['up', '--kms-key', 'k'],
    ['up', '--custody', 'passphrase', '--vault-key', 'k'],
  ];
  for (const line of lines) {
    const world = new FakeWorld({
      isTty: true,
      server: { createLog: () => assert.fail('started') },
    });
    assert.equal(await world.run(...line), 2, line.join(' '));
  }
});
