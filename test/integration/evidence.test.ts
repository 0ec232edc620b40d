/**
 * The evidence of a reading, from a real server: checked by our own command and by a program that
 * shares no code with it, and refused by both when any field of it was changed.
 */
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, hash, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkEvidence } from '@holdfast/protocol';
import { type Evidence, EvidenceSchema } from '@holdfast/protocol/api';
import {
  cosign,
  formatCosignerKey,
  formatNote,
  parseNote,
  Problem,
} from '@holdfast/protocol/merkle';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  type InProcessServer,
  RawClient,
  holdfast,
  run,
  signedPayload,
  startInProcess,
  temporaryFolder,
} from '@holdfast/testkit';
import { evidenceTools } from '../../packages/cli/src/evidence-tools.ts';

const VERIFIER = new URL('../../examples/verify_evidence.py', import.meta.url).pathname;
const ID = 'valve-3';
/** Judges each bundle on the command line by the key that comes first. */
const JUDGE_MANY = `
import json, sys
import verify_evidence as program
key = program.key_of(open(sys.argv[1]).read(), 1)
for path in sys.argv[2:]:
    try:
        program.check(json.load(open(path)), key, [])
        print("proven", path)
    except Exception:
        print("not proven")
`;

/** A server with a device that has sent some readings. */
async function labOf(t: TestContext, readings = 3): Promise<InProcessServer> {
  const server = await startInProcess(t);
  const bundle = await server.enroll(ID);
  await server.client.addDevice({ id: 'valve-30', class: 'sensor' });
  const client = await RawClient.connect(bundle);
  for (let ctr = 1; ctr <= readings; ctr += 1) {
    const payload = signedPayload(bundle, { ctr, flow: ctr / 8 });
    client.send(encodePublish(`d/${ID}/telemetry`, payload, { qos: 1, packetId: ctr }));
    await client.expect('puback');
  }
  await client.abort();
  return server;
}

/** Judges a bundle with both programs. @returns what each one said, after its exit code. */
async function judge(
  folder: string,
  evidence: unknown,
  witnesses: readonly string[] = [],
): Promise<{ ours: string; python: string }> {
  const path = join(folder, 'evidence.json');
  const key = join(folder, 'log.pub');
  writeFileSync(path, JSON.stringify(evidence));
  const options = witnesses.flatMap((file) => ['--witness', `@${file}`]);
  const check = ['audit', 'check', path, '--key', `@${key}`, '--json', ...options];
  const [ours, python] = await Promise.all([
    holdfast(check),
    run('python3', [VERIFIER, path, key, ...witnesses]),
  ]);
  return {
    ours: `${ours.code} ${ours.stdout}${ours.stderr}`,
    python: `${python.code} ${python.stdout}${python.stderr}`,
  };
}

function keepLogKey(folder: string, { dataDir }: InProcessServer): void {
  writeFileSync(join(folder, 'log.pub'), readFileSync(join(dataDir, 'log.pub')));
}

test('a bundle is believed as it is, and by no other log key', async (t) => {
  const folder = temporaryFolder(t);
  const server = await labOf(t);
  keepLogKey(folder, server);
  const [newest, middle] = await server.client.readings(ID);
  const evidence = await server.client.proveReading(ID);
  assert.equal(evidence.reading.index, newest?.index);
  assert.equal(evidence.certificates.length, 3);
  const { ours, python } = await judge(folder, evidence);
  assert.match(ours, /^0 /u);
  assert.match(python, /^0 proven: entry \d+ of \d+: valve-3 d\/valve-3\/telemetry/u);
  const said: unknown = JSON.parse(ours.slice(2));
  assert.ok(typeof said === 'object' && said !== null && 'acts' in said && 'reading' in said);
  const acts = said.acts as { action: string }[];
  assert.deepEqual(
    acts.map(({ action }) => action).filter((action) => action !== 'device.payload-keys'),
    ['device.add', 'device.enroll', 'device.activate'],
  );
  assert.equal((said.reading as { payload: string }).payload, newest?.payload);

  const other = await server.client.proveReading(ID, { index: middle?.index });
  assert.equal(other.reading.index, middle?.index);

  const stranger = await startInProcess(t);
  keepLogKey(folder, stranger);
  const doubted = await judge(folder, evidence);
  assert.match(doubted.ours, /^1 .*not signed by the known key/su);
  assert.match(doubted.python, /^1 not proven/u);

  const recorded = (await server.client.acts()).filter(({ action }) => action === 'audit.prove');
  assert.deepEqual(
    recorded.map(({ target, facts }) => [target, facts?.['index']]),
    [
      [ID, middle?.index],
      [ID, newest?.index],
    ],
  );
  await assert.rejects(server.client.proveReading(ID, { index: 0 }), /No such reading/u);
  await assert.rejects(server.client.proveReading('valve-30'), /No such reading/u);
});

test('any changed field is noticed by both programs', async (t) => {
  const folder = temporaryFolder(t);
  const server = await labOf(t);
  keepLogKey(folder, server);
  const good = await server.client.proveReading(ID);
  const [firstAct] = good.acts;
  const last = good.acts.at(-1);
  assert.ok(firstAct !== undefined && last !== undefined && good.acts.length > 2);
  const flipped = (text: string): string => {
    const bytes = Buffer.from(text, 'base64');
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    return bytes.toString('base64');
  };
  const { reading, certificates } = good;
  const older = await server.client.proveReading(ID, { index: reading.index - 1 });
  const changes: Record<string, Partial<Record<keyof Evidence, unknown>>> = {
    format: { format: 'holdfast-evidence/v2' },
    'checkpoint size': { checkpoint: good.checkpoint.replace(/\n(\d+)\n/u, '\n9$1\n') },
    'checkpoint origin': { checkpoint: good.checkpoint.replace('holdfast/', 'holdfest/') },
    device: { device: 'valve-30' },
    'reading index': { reading: { ...reading, index: reading.index - 1 } },
    'reading leaf': { reading: { ...reading, leaf: flipped(reading.leaf) } },
    'reading proof': {
      reading: {
        ...reading,
        proof: reading.proof.map((hash, at) => (at === 0 ? flipped(hash) : hash)),
      },
    },
    'shorter proof': { reading: { ...reading, proof: reading.proof.slice(1) } },
    'longer proof': { reading: { ...reading, proof: [...reading.proof, reading.proof[0]] } },
    'an act for a reading': { reading: last },
    'a reading among the acts': { acts: [...good.acts, older.reading] },
    'a changed act': {
      acts: [{ ...firstAct, leaf: flipped(firstAct.leaf) }, ...good.acts.slice(1)],
    },
    'acts in another order': { acts: [...good.acts].reverse() },
    'an act twice': { acts: [firstAct, ...good.acts] },
    'without the enrollment': {
      acts: good.acts.filter(({ leaf }) => !Buffer.from(leaf, 'base64').includes('device.enroll')),
    },
    'another certificate': { certificates: [certificates[1], ...certificates.slice(1)] },
    'a changed certificate': {
      certificates: [flipped(certificates[0] ?? ''), ...certificates.slice(1)],
    },
    'without the issuer': { certificates: [certificates[0], certificates[2]] },
  };
  // One run of Python for all of them: the start takes longer than the check.
  const names = Object.keys(changes);
  const files = Object.values(changes).map((change, at) => {
    const path = join(folder, `changed-${at}.json`);
    writeFileSync(path, JSON.stringify({ ...good, ...change }));
    return path;
  });
  const python = await run('python3', ['-B', '-c', JUDGE_MANY, join(folder, 'log.pub'), ...files], {
    cwd: dirname(VERIFIER),
  });
  assert.deepEqual(
    python.stdout.trim().split('\n'),
    names.map(() => 'not proven'),
    python.stderr,
  );
  const log = readFileSync(join(folder, 'log.pub'), 'utf8');
  const tools = evidenceTools({ log, witnesses: [] });
  for (const [name, change] of Object.entries(changes)) {
    const parsed = EvidenceSchema.safeParse({ ...good, ...change });
    const problems = parsed.success ? checkEvidence(parsed.data, tools).problems : ['no bundle'];
    assert.ok(problems.length > 0, name);
  }
  const untouched = await judge(folder, good);
  assert.match(`${untouched.ours}${untouched.python}`, /^0 .*0 proven/su);
});

test('a device that was kept out by then sent nothing that is believed', async (t) => {
  const folder = temporaryFolder(t);
  const server = await labOf(t);
  keepLogKey(folder, server);
  const earlier = await server.client.proveReading(ID);
  await server.client.actOnDevice(ID, 'quarantine', 'it leaks');
  // What follows the reading is none of its acts.
  const after = await server.client.proveReading(ID);
  assert.equal(after.acts.length, earlier.acts.length);
  assert.match((await judge(folder, after)).ours, /^0 /u);
});

test('the cosignature of a witness is in the bundle, and is required by name', async (t) => {
  const folder = temporaryFolder(t);
  const server = await labOf(t);
  keepLogKey(folder, server);
  const { client } = server;
  const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');
  const pair = generateKeyPairSync('ed25519');
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(12);
  const name = 'witness.example/one';
  const file = join(folder, 'witness.pub');
  writeFileSync(file, `${formatCosignerKey(sha256, { name, publicKey })}\n`);
  const alone = await judge(folder, await client.proveReading(ID), [file]);
  assert.match(alone.ours, /^1 .*not cosigned by this witness/su);
  assert.match(alone.python, /^1 not proven: Wrong witness witness\.example\/one/u);

  await client.addWitness(readFileSync(file, 'utf8').trim());
  const note = await client.checkpoint();
  const parsed = parseNote(note);
  assert.ok(!(parsed instanceof Problem));
  const privateKey = createPrivateKey(pair.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const signature = cosign(
    sha256,
    { note, timeS: Math.floor(Date.now() / 1_000) },
    { name, publicKey, sign: (message) => sign(null, message, privateKey) },
  );
  await client.cosigned(formatNote({ ...parsed, signatures: [...parsed.signatures, signature] }));
  const evidence = await client.proveReading(ID);
  const seen = await judge(folder, evidence, [file]);
  assert.match(seen.ours, /^0 .*"name":"witness\.example\/one"/su);
  assert.match(seen.python, /^0 proven/u);
  const later = evidence.checkpoint.replace(/(witness\.example\/one \S{10})./u, '$1x');
  assert.notEqual(later, evidence.checkpoint);
  const changed = await judge(folder, { ...evidence, checkpoint: later }, [file]);
  assert.match(`${changed.ours}${changed.python}`, /^1 .*1 not proven/su);
});
