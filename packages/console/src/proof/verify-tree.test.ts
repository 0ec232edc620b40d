/** Against trees that the code of the server makes. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import {
  CompactRange,
  type TileName,
  formatCheckpoint,
  formatVerifierKey,
  leafHash,
  signCheckpoint,
} from '@holdfast/protocol/merkle';
import { sha256 } from './sha256.ts';
import { type LogHead, verifyTree } from './verify-tree.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
const NAME = 'holdfast.example/log';
const key = { name: NAME, publicKey: new Uint8Array(raw) };
const verifierKey = formatVerifierKey(sha256, key);

class Log {
  readonly leaves: Uint8Array[] = [];

  grow(count: number): this {
    for (let at = 0; at < count; at += 1) {
      const text = createHash('sha256').update(`entry ${this.leaves.length}`).digest();
      this.leaves.push(leafHash(sha256, text));
    }
    return this;
  }

  head(size = this.leaves.length): LogHead {
    const range = new CompactRange(sha256);
    for (const leaf of this.leaves.slice(0, size)) range.append(leaf);
    return { size, root: range.root().toBase64() };
  }

  checkpoint({ size, root } = this.head()): string {
    const body = formatCheckpoint({
      origin: NAME,
      size,
      root: Uint8Array.fromBase64(root),
      extensions: [],
    });
    return signCheckpoint(sha256, body, {
      ...key,
      sign: (message) => new Uint8Array(sign(null, message, privateKey)),
    });
  }

  readonly fetchTile = ({ index, width }: TileName): Promise<Uint8Array> => {
    const leaves = this.leaves.slice(index * 256, index * 256 + width);
    return Promise.resolve(new Uint8Array(Buffer.concat(leaves)));
  };
}

for (const size of [0, 1, 255, 256, 257, 1_500]) {
  test(`a log of ${size} entries`, async () => {
    const log = new Log().grow(size);
    const seen: number[] = [];
    const verdict = await verifyTree({
      checkpoint: log.checkpoint(),
      verifierKey,
      fetchTile: log.fetchTile,
      onProgress: (done) => seen.push(done),
    });
    assert.deepEqual(verdict, { head: log.head() });
    assert.equal(seen.at(-1), size === 0 ? undefined : size);
  });
}

for (const size of [0, 1, 256, 300, 900]) {
  test(`a continuation of ${size} entries that were seen`, async () => {
    const log = new Log().grow(900);
    const options = { checkpoint: log.checkpoint(), verifierKey, fetchTile: log.fetchTile };
    assert.ok('head' in (await verifyTree({ ...options, before: log.head(size) })));
    const other = new Log().grow(size);
    if (size === 0) return;
    other.leaves[size - 1] = sha256(new Uint8Array(1));
    const verdict = await verifyTree({ ...options, before: other.head() });
    assert.match(verdict.problem ?? '', /rewritten/u);
  });
}

test('a log that was set back', async () => {
  const log = new Log().grow(10);
  const verdict = await verifyTree({
    checkpoint: log.checkpoint(log.head(9)),
    verifierKey,
    before: log.head(),
    fetchTile: log.fetchTile,
  });
  assert.match(verdict.problem ?? '', /set back/u);
});

test('a leaf that was changed', async () => {
  const log = new Log().grow(600);
  const checkpoint = log.checkpoint();
  log.leaves[300] = sha256(new Uint8Array(2));
  const verdict = await verifyTree({ checkpoint, verifierKey, fetchTile: log.fetchTile });
  assert.match(verdict.problem ?? '', /root that the server has signed/u);
});

test('a checkpoint of another key, and a changed one', async () => {
  const log = new Log().grow(3);
  const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' });
  const otherKey = formatVerifierKey(sha256, {
    name: NAME,
    publicKey: new Uint8Array(other.subarray(-32)),
  });
  const fetchTile = log.fetchTile;
  const checkpoint = log.checkpoint();
  for (const options of [
    { checkpoint, verifierKey: otherKey },
    { checkpoint: checkpoint.replace('\n3\n', '\n4\n'), verifierKey },
    { checkpoint: 'nonsense', verifierKey },
    { checkpoint, verifierKey: 'nonsense' },
  ]) {
    assert.ok((await verifyTree({ ...options, fetchTile })).problem);
  }
});

test('a tile that cannot be fetched says nothing of the log', async () => {
  const log = new Log().grow(600);
  const options = { checkpoint: log.checkpoint(), verifierKey };
  await assert.rejects(
    verifyTree({ ...options, fetchTile: () => Promise.reject(new Error('away')) }),
    /away/u,
  );
  const short = async (name: TileName): Promise<Uint8Array> =>
    (await log.fetchTile(name)).subarray(32);
  await assert.rejects(verifyTree({ ...options, fetchTile: short }), /bytes/u);
});
