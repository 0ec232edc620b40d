/** What a thief of the disk sees: of the data folder, and of a backup. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  type InProcessServer,
  RawClient,
  run,
  signedPayload,
  startInProcess,
  subscribePacket,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

/** Words of this deployment, none of which may stand in a file. */
const WORDS = {
  device: 'boiler-cellar',
  group: 'west-wing',
  person: 'marguerite',
  topicPart: 'pressurevalve',
  member: 'kilopascals',
  text: 'quincunx-readings',
  reason: 'smelled-of-almonds',
} as const;

/**
 * Every column that holds text in the clear, or more than numbers, with why it may. A table that
 * somebody adds is not on the list, and fails the test until somebody has thought about it.
 */
const IN_THE_CLEAR = {
  'log.db checkpoint.note': 'signed checkpoints: size and root of the log',
  'registry.db data_key.purpose': 'what a key is for: "device", never which',
  'registry.db record.collection': 'which kind of record',
} as const;

/** The hashes, wrapped keys or sealed bytes in a column, which have to look like chance. */
function blobsOf(value: unknown, place: string): Buffer[] {
  if (!(value instanceof Uint8Array)) return [];
  // The number of its key stands before a layout.
  if (place === 'log.db batch.layout') return [Buffer.from(value.subarray(4))];
  if (place !== 'log.db batch.sealed') return [Buffer.from(value)];
  // Before each segment of a batch stand the number of its key and its length.
  const batch = Buffer.from(value);
  const segments: Buffer[] = [];
  for (let at = 0; at < batch.length;) {
    const end = at + 8 + batch.readUInt32BE(at + 4);
    segments.push(batch.subarray(at + 8, end));
    at = end;
  }
  return segments;
}

/** Shannon's entropy of the bytes, in bits a byte: 8 for chance. */
function entropy(bytes: Uint8Array): number {
  const counts = Array.from({ length: 256 }, () => 0);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  return counts.reduce((sum, count) => {
    if (count === 0) return sum;
    const share = count / bytes.length;
    return sum - share * Math.log2(share);
  }, 0);
}

/** Bytes below which the entropy of even perfect chance would be too far from 8. */
const SAMPLE_BYTES_MIN = 16_384;
/** Perfect chance has 7.988 bits or more at that size, in all but one of a million cases. */
const ENTROPY_MIN = 7.98;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** A house in which everything that can be kept is kept. */
async function liveIn(t: TestContext, server: InProcessServer): Promise<Buffer[]> {
  const { device: id, group, person, topicPart, member, text, reason } = WORDS;
  const bundle = await server.enroll(id, 'gateway');
  await server.client.setDeviceGroup(id, { group, reason });
  await server.client.invitePerson({ name: person, role: 'operator' });
  const raw = await RawClient.connect(bundle, { cleanStart: false });
  raw.send(subscribePacket(1, [{ filter: `d/${id}/cmd/${topicPart}/#`, qos: 1 }]));
  await raw.expect('suback');
  const payloads: Buffer[] = [];
  for (let ctr = 1; ctr <= 800; ctr += 1) {
    const payload = signedPayload(bundle, { ctr, [member]: ctr / 7, note: `${text}-${ctr}` });
    payloads.push(payload);
    const topic = ctr === 1 ? `d/${id}/state` : `d/${id}/telemetry/${topicPart}`;
    raw.send(encodePublish(topic, payload, { qos: 1, packetId: 7, retain: ctr === 1 }));
    await raw.expect('puback');
  }
  // One that is refused: the same counter again.
  const again = encodePublish(`d/${id}/telemetry/${topicPart}`, payloads[5] ?? Buffer.alloc(0), {
    qos: 1,
    packetId: 7,
    retain: false,
  });
  raw.send(again);
  await raw.expect('puback');
  await raw.abort();
  await server.client.sendCommand(id, { name: topicPart, body: { note: text } });
  t.diagnostic(`${payloads.length} messages`);
  return payloads;
}

test('a thief of the disk, or of a backup, sees no name, topic, payload or key', async (t) => {
  const server = await startInProcess(t);
  const payloads = await liveIn(t, server);
  const backups = join(temporaryFolder(t), 'backups');
  await server.client.makeBackup({ to: `folder:${backups}` });
  await waitFor('the backup', async () => {
    const { run: last } = await server.client.backupStatus();
    return last?.state === 'running' ? undefined : last;
  });
  await waitFor('the series', async () => {
    const { series, behind } = await server.client.series(WORDS.device);
    return behind === 0 && series.length > 0 ? series : undefined;
  });
  const unsealKey = readFileSync(join(server.dataDir, 'unseal.key'), 'latin1').trim();
  const checkAll = async (folder: string): Promise<void> => {
    for (const path of filesIn(folder)) {
      await assertSealed(path, { folder, payloads, unsealKey });
    }
  };
  await checkAll(server.dataDir);
  await server.stop();
  await checkAll(server.dataDir);
  await checkAll(backups);
  assertOnlyListedText(server.dataDir);
  assertLooksLikeChance(t, server.dataDir);
  let sealedBytes = 0;
  for (const path of filesIn(backups)) {
    const bytes = readFileSync(path);
    if (!path.includes('/chunks/') || bytes.length < SAMPLE_BYTES_MIN) continue;
    sealedBytes += bytes.length;
    assert.ok(entropy(bytes) >= ENTROPY_MIN, `${path}: ${entropy(bytes)} bits`);
  }
  assert.ok(sealedBytes > 0, 'no chunk of the backup was large enough to judge');
});

async function assertSealed(
  path: string,
  { folder, payloads, unsealKey }: { folder: string; payloads: Buffer[]; unsealKey: string },
): Promise<void> {
  const name = relative(folder, path);
  const bytes = readFileSync(path);
  for (const word of Object.values(WORDS)) {
    for (const form of [word, Buffer.from(word).toString('base64').slice(0, -4)]) {
      assert.ok(!bytes.includes(form), `${name} shows ${form}`);
    }
    assert.ok(!bytes.includes(Buffer.from(word, 'utf16le')), `${name} shows ${word} in UTF-16`);
  }
  for (const payload of payloads) assert.ok(!bytes.includes(payload), `${name} shows a payload`);
  if (name !== 'unseal.key') {
    const key = Buffer.from(unsealKey, 'hex');
    for (const form of [unsealKey, key, key.toString('base64')]) {
      assert.ok(!bytes.includes(form), `${name} shows the unseal key`);
    }
  }
  const { stdout } = await run('strings', ['-a', '-n', '5', path]);
  // Words of ours, of which only the names of collections and purposes may be there.
  const shown = /telemetry|"ctr"|E_VERIFY|PRIVATE KEY|security-officer|gateway/u.exec(stdout);
  assert.equal(shown, null, `${name} shows ${shown?.[0]}`);
}

/** Text in a database is what the list above says, and nothing else. */
function assertOnlyListedText(dataDir: string): void {
  const found = new Set<string>();
  for (const { file, table, rows } of tablesIn(dataDir)) {
    for (const row of rows) {
      for (const [column, value] of Object.entries(row)) {
        if (typeof value === 'string') found.add(`${file} ${table}.${column}`);
      }
    }
  }
  assert.deepEqual([...found].sort(), Object.keys(IN_THE_CLEAR));
}

/** The sealed columns, each taken together, cannot be told from chance. */
function assertLooksLikeChance(t: TestContext, dataDir: string): void {
  const judged: string[] = [];
  for (const { file, table, rows } of tablesIn(dataDir)) {
    for (const column of Object.keys(rows[0] ?? {})) {
      const place = `${file} ${table}.${column}`;
      const bytes = Buffer.concat(rows.flatMap((row) => blobsOf(row[column], place)));
      // An index of the log: places of batches, which are numbers.
      if (bytes.length < SAMPLE_BYTES_MIN || place === 'log.db segment.batches') continue;
      judged.push(`${place} ${entropy(bytes).toFixed(4)} bits a byte of ${bytes.length}`);
      assert.ok(entropy(bytes) >= ENTROPY_MIN, String(judged.at(-1)));
    }
  }
  assert.ok(judged.some((line) => line.startsWith('log.db batch.sealed')));
  for (const line of judged) t.diagnostic(line);
}

function* tablesIn(dataDir: string) {
  for (const file of readdirSync(dataDir).filter((name) => name.endsWith('.db'))) {
    const database = new DatabaseSync(join(dataDir, file), { readOnly: true });
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    for (const { name } of tables) {
      const table = String(name);
      if (table.startsWith('sqlite_')) continue;
      yield { file, table, rows: database.prepare(`SELECT * FROM "${table}"`).all() };
    }
    database.close();
  }
}
