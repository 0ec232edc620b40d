import assert from 'node:assert/strict';
import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ApiError } from '@holdfast/client';
import type { Client } from '@holdfast/client';
import {
  TileWriter,
  formatCheckpoint,
  formatVerifierKey,
  signCheckpoint,
} from '@holdfast/protocol/merkle';
import { FakeWorld } from '../fake-world.ts';
import { sha256 } from '../note-crypto.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const log = {
  name: 'holdfast/lab',
  publicKey: publicKey.export({ format: 'raw-public' }),
  sign: (message: Uint8Array) => sign(null, message, privateKey),
};
const logKey = formatVerifierKey(sha256, log);

/** A checkpoint of a log whose entries are numbers, or others. */
function logOf(size: number, what = ''): Pick<Client, 'checkpoint' | 'logTile'> {
  const writer = TileWriter.empty(sha256);
  for (let n = 0; n < size; n += 1) writer.append(hash('sha256', `${what}${n}`, 'buffer'));
  const body = { origin: log.name, size, root: writer.root(), extensions: [] };
  const note = signCheckpoint(sha256, formatCheckpoint(body), log);
  const tiles = new Map(
    writer.takeChanged().map(({ level, index, hashes }) => [`${level}/${index}`, hashes.slice()]),
  );
  return {
    checkpoint: () => Promise.resolve(note),
    logTile: ({ level, index, width }) => {
      const tile = tiles.get(`${level}/${index}`)?.subarray(0, width * 32);
      return Promise.resolve(tile ?? assert.fail('no such tile'));
    },
  };
}

/** Looks once; what is handed over is kept. */
async function look(
  folder: string,
  source: Pick<Client, 'checkpoint' | 'logTile'>,
  cosigned: Client['cosigned'] = () => Promise.resolve([]),
) {
  const handed: string[] = [];
  const take: Client['cosigned'] = (note) => {
    handed.push(note);
    return cosigned(note);
  };
  const world = new FakeWorld({ client: { ...source, cosigned: take } });
  const args = ['--data', folder, '--log-key', logKey, '--once'];
  return { code: await world.run('audit', 'witness', ...args), handed, said: world.errText };
}

function newFolder(): string {
  return join(new FakeWorld().home, 'witness');
}

describe('audit witness', () => {
  it('has its folder for itself: two could vouch for two continuations [E_CLI_FILE]', async () => {
    const folder = newFolder();
    assert.equal((await look(folder, logOf(3))).code, 0);
    const others: { code: number; said: string }[] = [];
    const slow = {
      ...logOf(5),
      checkpoint: async () => {
        others.push(await look(folder, logOf(5, 'x')));
        return logOf(5).checkpoint();
      },
    };
    assert.equal((await look(folder, slow)).code, 0);
    assert.equal(others[0]?.code, 1);
    assert.match(others[0]?.said ?? '', /Another witness works in/u);
    assert.equal((await look(folder, logOf(6))).code, 0);
  });

  it('makes a key of its own, once, and says how to go on', async () => {
    const folder = newFolder();
    const world = new FakeWorld({ hasLocalServer: false });
    assert.equal(await world.run('audit', 'witness', '--data', folder, '--name', 'w/1'), 0);
    assert.match(world.errText, /^Witness w\/1\+[0-9a-f]{8}\+B/u);
    assert.match(world.errText, /holdfast witness add/u);
    assert.equal(statSync(join(folder, 'witness.key')).mode & 0o777, 0o600);
    const key = readFileSync(join(folder, 'witness.key'), 'utf8');
    const again = new FakeWorld({ hasLocalServer: false });
    assert.equal(await again.run('audit', 'witness', '--data', folder), 2, 'now it needs the log');
    assert.equal(readFileSync(join(folder, 'witness.key'), 'utf8'), key);
    chmodSync(join(folder, 'witness.key'), 0o644);
    const exposed = await look(folder, logOf(1));
    assert.match(exposed.said, /E_CLI_CREDENTIALS/u);
  });

  it('refuses a name that no key can have', async () => {
    const world = new FakeWorld({ hasLocalServer: false });
    assert.equal(await world.run('audit', 'witness', '--data', newFolder(), '--name', 'a b'), 2);
  });

  it('hands over what it has kept, and goes on from there', async () => {
    const folder = newFolder();
    const first = await look(folder, logOf(5));
    assert.equal(first.code, 0, first.said);
    assert.match(first.said, /5 entries, taken as the first one/u);
    assert.deepEqual(first.handed, [readFileSync(join(folder, 'last.checkpoint'), 'utf8')]);
    const second = await look(folder, logOf(400));
    assert.match(second.said, /400 entries, consistent/u);
    assert.equal((await look(folder, logOf(400))).code, 0, 'an idle log is seen as well');
  });

  it('cosigns nothing that is not consistent, keeps the evidence and tells the server', async () => {
    const folder = newFolder();
    await look(folder, logOf(50));
    const last = readFileSync(join(folder, 'last.checkpoint'), 'utf8');
    for (const [source, code] of [
      [logOf(49), 'E_WITNESS_ROLLED_BACK'],
      [logOf(50, 'x'), 'E_WITNESS_SPLIT_VIEW'],
      [logOf(60, 'x'), 'E_WITNESS_SPLIT_VIEW'],
    ] as const) {
      const looked = await look(folder, source);
      assert.equal(looked.code, 1);
      assert.match(looked.said, /ALARM/u);
      assert.match(looked.said, new RegExp(code, 'u'));
      assert.deepEqual(looked.handed, [last], 'only what it had cosigned before');
      assert.equal(readFileSync(join(folder, 'last.checkpoint'), 'utf8'), last);
    }
    const evidence = readdirSync(folder).filter((name) => name.startsWith('alarm-'));
    assert.equal(evidence.length, 3);
    assert.ok(readFileSync(join(folder, evidence[0] ?? ''), 'utf8').startsWith(last));
  });

  it('has kept the checkpoint before it vouches for it', async () => {
    const folder = newFolder();
    const unreachable = () =>
      Promise.reject(new ApiError({ code: 'E_CLIENT_UNREACHABLE', message: 'm', fix: 'f' }));
    assert.equal((await look(folder, logOf(5), unreachable)).code, 3);
    assert.ok(existsSync(join(folder, 'last.checkpoint')));
    const alarm = await look(folder, logOf(5, 'x'));
    assert.match(alarm.said, /E_WITNESS_SPLIT_VIEW/u);
  });

  it('does not go on from a checkpoint that it has not cosigned', async () => {
    const folder = newFolder();
    await look(folder, logOf(5));
    writeFileSync(join(folder, 'last.checkpoint'), await logOf(4).checkpoint());
    assert.match((await look(folder, logOf(5))).said, /E_WITNESS_SIGNATURE/u);
  });

  it('goes on when the server is away, until it is told to stop', async () => {
    const folder = newFolder();
    let calls = 0;
    const world: FakeWorld = new FakeWorld({
      client: {
        checkpoint: () => {
          calls += 1;
          for (const stop of world.stopListeners) stop();
          return Promise.reject(
            new ApiError({ code: 'E_CLIENT_UNREACHABLE', message: 'nobody there.', fix: 'f' }),
          );
        },
      },
    });
    const args = ['--data', folder, '--log-key', logKey, '--every', '86400'];
    assert.equal(await world.run('audit', 'witness', ...args), 0);
    assert.equal(calls, 1);
    assert.match(world.errText, /nobody there\./u);
    assert.equal(await world.run('audit', 'witness', ...args.slice(0, 4), '--every', '0'), 2);
  });
});

describe('witness', () => {
  const latest = { size: 1_234, at: '2026-11-21T03:00:00.000Z' };
  const view = {
    id: '8d66cf3f',
    name: 'w.example/1',
    key: 'k',
    addedAt: '2026-11-20T03:00:00.000Z',
  };

  it('is added by its key, or by the file with it', async () => {
    const keys: string[] = [];
    const addWitness = (key: string) => {
      keys.push(key);
      return Promise.resolve(view);
    };
    const world = new FakeWorld({ client: { addWitness } });
    writeFileSync(join(world.home, 'witness.pub'), 'w+1+k\n');
    assert.equal(await world.run('witness', 'add', `@${join(world.home, 'witness.pub')}`), 0);
    assert.deepEqual(keys, ['w+1+k']);
    assert.match(world.outText, /w\.example\/1 is a witness/u);
  });

  it('is listed with what it has seen, and with an alarm', async () => {
    const alarm = { size: 2_000, at: latest.at };
    const witnesses = () =>
      Promise.resolve([view, { ...view, latest }, { ...view, latest, alarm }]);
    const world = new FakeWorld({ client: { witnesses } });
    assert.equal(await world.run('witness', 'list'), 0);
    const lines = world.outText.split('\n');
    assert.match(lines[0] ?? '', /has cosigned nothing yet/u);
    assert.match(lines[1] ?? '', /1,234 entries at 2026-11-21 04:00:00$/u);
    assert.match(lines[2] ?? '', /ALARM: saw 2,000 entries/u);
  });

  it('is removed by name or id, if only one is meant', async () => {
    const removed: string[] = [];
    const removeWitness = (id: string) => Promise.resolve(void removed.push(id));
    const witnesses = () => Promise.resolve([view, { ...view, id: '00000001', name: 'other' }]);
    const world = () => new FakeWorld({ client: { witnesses, removeWitness } });
    assert.equal(await world().run('witness', 'remove', 'other'), 0);
    assert.equal(await world().run('witness', 'remove', view.id), 0);
    assert.equal(await world().run('witness', 'remove', 'nobody'), 1);
    assert.deepEqual(removed, ['00000001', view.id]);
  });
});
