import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Secret, systemRandom } from '../kernel/index.ts';
import { SealedStore } from './sealed-store.ts';

const CHILD = fileURLToPath(new URL('rotation-child.testing.ts', import.meta.url));
const KEYS = 5_000;
const KILLS = 20;
/** So few that not even the last one is killed after the rotation is done. */
const STEPS_A_KILL = '2';

/** When a rotation is killed: so many milliseconds after it has said this. */
interface Kill {
  readonly said: RegExp;
  readonly afterMs: number;
}

/** Runs a rotation, to its end or until it is killed. Gives what it said. */
async function rotate(args: readonly string[], kill?: Kill): Promise<string> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const heard = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (kill?.said.test(said) === true) resolve();
    });
  });
  if (kill !== undefined) {
    await Promise.race([heard, ended]);
    await Promise.race([wait(kill.afterMs), ended]);
    child.kill('SIGKILL');
  }
  await ended;
  return said;
}

test('a rotation that is killed twenty times loses no key, and leaves no old version', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-rotation-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [path, keyFile] = [join(folder, 'registry.db'), join(folder, 'key')];
  const unsealKey = new Secret(systemRandom(32));
  writeFileSync(keyFile, unsealKey.expose(), { mode: 0o600 });
  const open = (): SealedStore => new SealedStore(path, { unsealKey, random: systemRandom });
  const store = open();
  const keys = store.transaction(() =>
    Array.from({ length: KEYS }, () => store.keyring.create('device')),
  );
  store.close();
  const before = wrappedIn(path);

  const lefts: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    // Now and then at once, before anything is done, and otherwise around the second step. On a busy
    // machine both take longer, or the kill comes late: so steps are counted, and not their time.
    const isAtOnce = kill % 5 === 0;
    const afterMs = (systemRandom(1)[0] ?? 0) / 12;
    const said = await rotate(
      [path, keyFile, STEPS_A_KILL],
      isAtOnce ? { said: /left \d+\n/u, afterMs: 0 } : { said: /step\n/u, afterMs },
    );
    lefts.push(Number(/left (?<left>\d+)/u.exec(said)?.groups?.['left'] ?? Number.NaN));
  }
  const last = await rotate([path, keyFile]);
  assert.match(last, /done/u);
  lefts.push(Number(/left (?<left>\d+)/u.exec(last)?.groups?.['left']));
  t.diagnostic(`left at each start: ${lefts.join(' ')}`);
  assert.deepEqual(
    lefts,
    lefts.toSorted((a, b) => b - a),
    'what was done stays done',
  );
  assert.ok(new Set(lefts).size > KILLS / 2, 'the kills came in the middle of it');

  const after = open();
  for (const { ref, key } of keys) {
    assert.ok(Buffer.from(after.keyring.byRef(ref).key.expose()).equals(key.expose()));
  }
  const versions = after.census.versions();
  assert.deepEqual(
    versions.map(({ version, dataKeys, retiredAtMs }) => [version, dataKeys, retiredAtMs]),
    [
      [1, 0, versions[0]?.retiredAtMs ?? assert.fail('the old version is not retired')],
      [2, before.length - 1, undefined],
    ],
  );
  after.close();
  const files = ['', '-wal'].filter((end) => existsSync(path + end));
  const bytes = Buffer.concat(files.map((end) => readFileSync(path + end)));
  assert.ok(before.length > KEYS);
  for (const wrapped of before) assert.equal(bytes.indexOf(wrapped), -1);
});

/** Every wrapped key that stands in a registry, of both kinds. */
function wrappedIn(path: string): Uint8Array[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database
    .prepare('SELECT wrapped FROM key_encryption_key UNION ALL SELECT wrapped FROM data_key')
    .all();
  database.close();
  return rows.map(({ wrapped }) =>
    wrapped instanceof Uint8Array ? wrapped : assert.fail('no wrapped key'),
  );
}
