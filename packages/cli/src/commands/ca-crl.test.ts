import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { CrlView } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const der = Buffer.alloc(100, 7);
const crl: CrlView = {
  issuer: '1a2b3c4d',
  number: 7,
  thisUpdate: '2026-11-21T03:00:00.000Z',
  nextUpdate: '2026-11-22T03:00:00.000Z',
  count: 3,
  der: der.toString('base64'),
};

/** A world with a server, and a folder of its own to write to. */
function openWorld(asked: unknown[] = []): { world: FakeWorld; out: string } {
  const client = {
    crl: (issuer?: string) => {
      asked.push(issuer);
      return Promise.resolve(crl);
    },
  };
  const world = new FakeWorld({ client });
  const folder = join(world.home, 'public');
  mkdirSync(folder);
  return { world, out: join(folder, 'devices.crl') };
}

describe('ca crl', () => {
  it('writes the list in DER, readable for a web server, and leaves nothing else', async () => {
    const { world, out } = openWorld();
    writeFileSync(out, 'the old one');
    assert.equal(await world.run('ca', 'crl', '--out', out), 0);
    assert.deepEqual(readFileSync(out), der);
    assert.equal(statSync(out).mode & 0o444, 0o444 & ~process.umask());
    assert.deepEqual(readdirSync(join(out, '..')), ['devices.crl']);
    assert.equal(
      world.outText,
      `${out} lists 3 certificates; it counts until 2026-11-22 04:00:00.\n`,
    );
  });

  it('writes PEM when asked, and of another issuer', async () => {
    const asked: unknown[] = [];
    const { world, out } = openWorld(asked);
    await world.run('ca', 'crl', '--out', out, '--pem', '--issuer', '12345678', '--json');
    const pem = readFileSync(out, 'utf8');
    assert.match(pem, /^-----BEGIN X509 CRL-----\n[A-Za-z0-9+/=\n]+-----END X509 CRL-----\n$/);
    assert.equal(Buffer.from(pem.split('-----')[2] ?? '', 'base64').equals(der), true);
    assert.ok(pem.split('\n').every((line) => line.length <= 64));
    assert.deepEqual(asked, ['12345678']);
    const { der: _, ...facts } = crl;
    assert.deepEqual(JSON.parse(world.outText), { ...facts, out });
  });

  it('needs a file, in a folder that exists', async () => {
    const { world, out } = openWorld();
    assert.equal(await world.run('ca', 'crl'), 2);
    assert.match(world.errText, /--out is missing/);
    assert.equal(await world.run('ca', 'crl', '--out', join(out, 'no', 'such')), 1);
    assert.match(world.errText, /cannot be written/);
    assert.equal(existsSync(out), false);
  });
});
