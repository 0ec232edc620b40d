/**
 * Whoever can write in the data folder, but has no key of it, is found out: by the next start, by
 * `holdfast audit verify`, or by both, and by name. Each attack is done to a copy of a real folder,
 * with an older copy of it at hand. What only a witness can find stands in witness.test.ts.
 */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { connect } from '@holdfast/device';
import { type RunningServer, start, verifyData } from '@holdfast/server';
import { startInProcess, startServer, temporaryFolder } from '@holdfast/testkit';

/** Copies of one data folder: as it was after its first run, and after its second. */
interface Copies {
  readonly older: string;
  readonly newest: string;
  /** A signed checkpoint of the newest, kept elsewhere. */
  readonly checkpoint: string;
}

async function makeCopies(t: TestContext): Promise<Copies> {
  const folder = temporaryFolder(t);
  const copies = { older: join(folder, 'older'), newest: join(folder, 'newest') };
  const checkpoint = join(folder, 'checkpoint.txt');
  let server = await startInProcess(t);
  const bundles = [await server.enroll('pump-1'), await server.enroll('valve-1')];
  const erased = connect({ bundle: await server.enroll('meter-1'), random: () => 0.02 });
  t.after(() => erased.close());
  await erased.publish({ n: 1 });
  await erased.close();
  for (const path of [copies.older, copies.newest]) {
    for (const bundle of bundles) {
      const device = connect({ bundle, random: () => 0.02 });
      t.after(() => device.close());
      for (let n = 0; n < 3; n += 1) await device.publish({ n });
      await device.close();
    }
    if (path === copies.newest) {
      await server.client.revokeDevice('pump-1', 'stolen');
      await server.client.eraseDevice('meter-1', 'its owner has gone');
      writeFileSync(checkpoint, await server.client.checkpoint());
    }
    await server.stop();
    cpSync(server.dataDir, path, { recursive: true });
    server = await server.restart();
  }
  await server.stop();
  return { ...copies, checkpoint };
}

function launch(dataDir: string, acceptRollback = false): Promise<RunningServer> {
  const ports = { broker: 0, api: 0, enroll: 0 };
  return start({ dataDir, hosts: [], ports, acceptRollback });
}

/** What the start says: `starts`, or the code and the text of its fault. */
async function startSays(dataDir: string): Promise<string> {
  try {
    await (await launch(dataDir)).stop();
    return 'starts';
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error, String(error));
    return `${String(error.code)} ${error.message}`;
  }
}

/** What the verification says: nothing, its findings, or its fault. */
async function verifySays(dataDir: string, against?: string): Promise<string> {
  try {
    const { findings } = await verifyData({ dataDir, against });
    return findings
      .map(({ what, entries }) => (entries ? `${entries.first} ${what}` : what))
      .join('\n');
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error, String(error));
    return `${String(error.code)} ${error.message}`;
  }
}

function inDatabase(path: string, act: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(path);
  act(database);
  database.close();
}

function blob(value: unknown): Buffer {
  assert.ok(value instanceof Uint8Array);
  return Buffer.from(value);
}

/** Exchanges the content of two rows of a table. */
function swapRows(path: string, table: string, id: string, rows: readonly unknown[][]): void {
  inDatabase(path, (database) => {
    const update = database.prepare(`UPDATE ${table} SET sealed = ? WHERE ${id} = ?`);
    const [[a, first] = [], [b, second] = []] = rows;
    update.run(blob(second), typeof a === 'number' ? a : blob(a));
    update.run(blob(first), typeof b === 'number' ? b : blob(b));
  });
}

/** The batches of the log that hold one segment only: readings of one device. */
function batchesOf(path: string): { first: number; sealed: Buffer; keyRef: number }[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare('SELECT first, sealed FROM batch ORDER BY first').all();
  database.close();
  return rows.map(({ first, sealed }) => {
    const bytes = blob(sealed);
    return { first: Number(first), sealed: bytes, keyRef: bytes.readUInt32BE(0) };
  });
}

function devicesIn(path: string): { lookup: Buffer; sealed: Buffer }[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database
    .prepare("SELECT lookup, sealed FROM record WHERE collection = 'device' ORDER BY lookup")
    .all();
  database.close();
  return rows.map(({ lookup, sealed }) => ({ lookup: blob(lookup), sealed: blob(sealed) }));
}

/** Cuts the log off behind its first kept checkpoint, and leaves a log that is whole by itself. */
function deleteTail(path: string): void {
  inDatabase(path, (database) => {
    const sizes = database.prepare('SELECT size FROM checkpoint ORDER BY size').all();
    const size = Number(sizes[0]?.['size']);
    assert.ok(sizes.length > 1 && size > 0 && size < 256, 'there is something to cut off');
    database.prepare('DELETE FROM batch WHERE first >= ?').run(size);
    database.prepare('DELETE FROM checkpoint WHERE size > ?').run(size);
    database.prepare('DELETE FROM segment WHERE first >= ?').run(size);
    database.prepare('UPDATE tile SET hashes = substr(hashes, 1, ?)').run(size * 32);
  });
}

interface Attack {
  readonly name: string;
  readonly attack: (victim: string, copies: Copies) => void;
  /** What the next start says; undefined where it need not notice. */
  readonly start?: RegExp;
  readonly verify: RegExp;
}

const LOG = 'log.db';
const REGISTRY = 'registry.db';

const ATTACKS: readonly Attack[] = [
  {
    name: 'an older log beside the newest registry',
    attack: (victim, { older }) => copyFileSync(join(older, LOG), join(victim, LOG)),
    start: /^E_MAIN_ROLLBACK .*log-rolled-back/,
    verify: /^log-rolled-back: /,
  },
  {
    name: 'the tail of the log is deleted, with its checkpoints',
    attack: (victim) => deleteTail(join(victim, LOG)),
    start: /^E_MAIN_ROLLBACK .*log-rolled-back/,
    verify: /^log-rolled-back: [^\n]*$/,
  },
  {
    name: 'the log is deleted',
    attack: (victim) => rmSync(join(victim, LOG)),
    start: /^E_MAIN_ROLLBACK .*log-rolled-back/,
    verify: /^E_PERSISTENCE_OPEN/,
  },
  {
    name: 'the registry of before a revocation beside the newest log',
    attack: (victim, { older }) => copyFileSync(join(older, REGISTRY), join(victim, REGISTRY)),
    start: /^E_MAIN_ROLLBACK .*registry-rolled-back/,
    verify: /^registry-rolled-back: /,
  },
  {
    name: 'the record of a revoked device is replaced by its older copy',
    attack(victim, { older }) {
      const before = devicesIn(join(older, REGISTRY));
      inDatabase(join(victim, REGISTRY), (database) => {
        const update = database.prepare('UPDATE record SET sealed = ? WHERE lookup = ?');
        for (const { lookup, sealed } of before) update.run(sealed, lookup);
      });
    },
    start: /^E_MAIN_ROLLBACK .*registry-changed/,
    verify: /^registry-changed: /,
  },
  {
    name: 'the records of revoked certificates are removed',
    attack: (victim) =>
      inDatabase(join(victim, REGISTRY), (database) =>
        database.exec("DELETE FROM record WHERE collection = 'certificate'"),
      ),
    start: /^E_MAIN_ROLLBACK .*registry-changed/,
    verify: /^registry-changed: /,
  },
  {
    name: 'two records of the registry are swapped',
    attack(victim) {
      const rows = devicesIn(join(victim, REGISTRY)).map(({ lookup, sealed }) => [lookup, sealed]);
      swapRows(join(victim, REGISTRY), 'record', 'lookup', rows);
    },
    start: /^E_CRYPTO_OPEN/,
    verify: /^registry-changed: /,
  },
  {
    name: 'what the registry knows of the log is removed',
    attack: (victim) =>
      inDatabase(join(victim, REGISTRY), (database) => database.exec('DELETE FROM state')),
    start: /^E_MAIN_ROLLBACK .*registry-changed/,
    verify: /^registry-changed: /,
  },
  {
    name: 'what the registry knows of the log is replaced by its older copy',
    attack(victim, { older }) {
      const source = new DatabaseSync(join(older, REGISTRY), { readOnly: true });
      const sealed = blob(source.prepare('SELECT sealed FROM state').get()?.['sealed']);
      source.close();
      inDatabase(join(victim, REGISTRY), (database) =>
        database.prepare('UPDATE state SET sealed = ?').run(sealed),
      );
    },
    start: /^E_MAIN_ROLLBACK .*registry-changed/,
    verify: /^registry-changed: /,
  },
  {
    name: 'two sealed rows of the log are swapped',
    attack(victim) {
      const [a, b] = batchesOf(join(victim, LOG)).slice(-6);
      assert.ok(a !== undefined && b !== undefined);
      swapRows(join(victim, LOG), 'batch', 'first', [
        [a.first, a.sealed],
        [b.first, b.sealed],
      ]);
    },
    verify: /^\d+ does not open/m,
  },
  {
    name: 'an old row of the log is played again in the place of a newer one',
    attack(victim) {
      const batches = batchesOf(join(victim, LOG));
      const last = batches.at(-3);
      const old = batches.find(
        ({ keyRef, first }) => keyRef === last?.keyRef && first < last.first,
      );
      assert.ok(last !== undefined && old !== undefined);
      inDatabase(join(victim, LOG), (database) =>
        database.prepare('UPDATE batch SET sealed = ? WHERE first = ?').run(old.sealed, last.first),
      );
    },
    verify: /^\d+ does not open/m,
  },
  {
    name: 'a sealed row is moved to another device',
    attack(victim) {
      const batches = batchesOf(join(victim, LOG));
      const [one] = batches;
      const other = batches.find(({ keyRef }) => keyRef !== one?.keyRef);
      assert.ok(one !== undefined && other !== undefined);
      const moved = Buffer.from(other.sealed);
      moved.writeUInt32BE(one.keyRef, 0);
      inDatabase(join(victim, LOG), (database) =>
        database.prepare('UPDATE batch SET sealed = ? WHERE first = ?').run(moved, other.first),
      );
    },
    verify: /^\d+ does not open/m,
  },
  {
    name: 'a bit is flipped in a sealed row',
    attack(victim) {
      const batch = batchesOf(join(victim, LOG)).at(-2);
      assert.ok(batch !== undefined);
      const changed = Buffer.from(batch.sealed);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      inDatabase(join(victim, LOG), (database) =>
        database.prepare('UPDATE batch SET sealed = ? WHERE first = ?').run(changed, batch.first),
      );
    },
    verify: /^\d+ does not open/m,
  },
  {
    name: 'the file of the log is truncated',
    attack(victim) {
      const path = join(victim, LOG);
      truncateSync(path, readFileSync(path).length / 2);
    },
    verify: /malformed|cannot be read|E_PERSISTENCE_OPEN/,
  },
];

test('each attack on the files is found by name', { timeout: 300_000 }, async (t) => {
  const copies = await makeCopies(t);
  const folder = temporaryFolder(t);
  assert.equal(await verifySays(copies.newest), '');
  assert.equal(await verifySays(copies.older), '', 'the older copy is whole by itself');
  for (const [at, { name, attack, start: wantedStart, verify }] of ATTACKS.entries()) {
    await t.test(name, async () => {
      const victim = join(folder, String(at));
      cpSync(copies.newest, victim, { recursive: true });
      attack(victim, copies);
      assert.match(await verifySays(victim), verify);
      if (wantedStart !== undefined) assert.match(await startSays(victim), wantedStart);
    });
  }

  await t.test('the whole older folder, against a checkpoint that was kept elsewhere', async () => {
    const victim = join(folder, 'whole');
    cpSync(copies.older, victim, { recursive: true });
    assert.equal((await verifySays(victim, copies.checkpoint)) === '', false);
    assert.equal(await verifySays(copies.newest, copies.checkpoint), '');
  });

  await t.test(
    'a start that fails again and again does not make an older registry pass',
    async () => {
      const victim = join(folder, 'again');
      cpSync(copies.newest, victim, { recursive: true });
      copyFileSync(join(copies.older, REGISTRY), join(victim, REGISTRY));
      for (let n = 0; n < 5; n += 1) assert.match(await startSays(victim), /registry-rolled-back/);
    },
  );

  await t.test('a rollback that is accepted is on the log, and holds from then on', async () => {
    for (const file of [LOG, REGISTRY]) {
      const victim = join(folder, `accepted-${file}`);
      cpSync(copies.newest, victim, { recursive: true });
      copyFileSync(join(copies.older, file), join(victim, file));
      assert.match(await startSays(victim), /^E_MAIN_ROLLBACK/);
      const server = await launch(victim, true);
      assert.deepEqual(await server.stop(), { isComplete: true }, file);
      assert.equal(await verifySays(victim), '');
      assert.equal(await startSays(victim), 'starts');
    }
  });
});

test('a kill at any moment is no rollback', { timeout: 300_000 }, async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  const kills = 6;
  for (let round = 0; round < kills; round += 1) {
    const server = await startServer(t, { dataDir });
    const client = server.client();
    const pending: Promise<unknown>[] = [];
    const killAt = 1 + Math.floor(Math.random() * 60);
    t.diagnostic(`killed with request ${killAt} of round ${round} on its way`);
    for (let n = 0; n < killAt; n += 1) {
      const added = client.addDevice({ id: `d-${round}-${n}`, class: 'sensor' });
      pending.push(added.catch(() => {}));
      if (n % 4 === 0) await added;
    }
    await server.stop('SIGKILL');
    await Promise.all(pending);
    client.close();
    assert.equal(await verifySays(dataDir), '');
  }
  const server = await startServer(t, { dataDir });
  const client = server.client();
  const acts = await client.acts({ limit: 1_000 });
  client.close();
  const unclean = acts.filter(({ action }) => action === 'server.unclean-stop');
  assert.equal(unclean.length, kills, 'each unclean stop is on the log');
  assert.equal((await server.stop()).code, 0);
  assert.equal(await verifySays(dataDir), '');
});

test('an empty log is none: a first start that was killed goes on, and a lost log is named', async (t) => {
  const dataDir = temporaryFolder(t);
  const log = join(dataDir, 'log.db');
  writeFileSync(log, '', { mode: 0o600 });
  assert.equal(await startSays(dataDir), 'starts');
  assert.equal(await verifySays(dataDir), '');
  writeFileSync(log, '');
  assert.match(await startSays(dataDir), /^E_MAIN_ROLLBACK .*log-/u);
});
