/** The log of a server that runs is verified beside it, by the API and by the command line. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  RawClient,
  holdfast,
  signedPayload,
  startInProcess,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

test('a server that runs verifies its log, and what came of it is on the log', async (t) => {
  const folder = temporaryFolder(t);
  const server = await startInProcess(t);
  const { client } = server;
  const bundle = await server.enroll('pump-1', 'gateway');
  const peer = await RawClient.connect(bundle);
  let sent = 0;
  const publish = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 1) {
      sent += 1;
      const payload = signedPayload(bundle, { ctr: sent });
      peer.send(encodePublish('d/pump-1/telemetry', payload, { qos: 1, packetId: sent }));
    }
    for (let at = 0; at < count; at += 1) await peer.expect('puback');
  };
  const verdicts = async () =>
    (await client.acts({ limit: 100 })).filter(({ action }) => action === 'audit.verify');

  await t.test('the whole log, while messages come in', async () => {
    await publish(200);
    const before = await client.checkpoint();
    const progress: number[] = [];
    const [report] = await Promise.all([
      client.verifyLog({}, { onProgress: ({ done }) => progress.push(done) }),
      publish(200),
    ]);
    assert.deepEqual([report.ok, report.findings], [true, []]);
    assert.ok(report.messages >= 200 && report.checkpoints > 0 && progress.length > 0);
    const [act] = await verdicts();
    assert.equal(act?.principal, 'local');
    assert.deepEqual([act?.facts?.['ok'], act?.facts?.['root']], [true, report.root]);

    const rest = await client.verifyLog({ since: before, against: before });
    assert.ok(rest.ok && rest.since > 0 && rest.entries < report.size + 200);
  });

  await t.test('an erasure before and during it is no finding', async () => {
    await client.resetDevice('pump-1', 'a new owner');
    const report = await client.verifyLog({});
    assert.deepEqual(report.findings, []);
    assert.ok(report.erased >= 400);
  });

  await t.test('one at a time; who hangs up cancels it, and that is on the log', async () => {
    const cancellation = new AbortController();
    const first = client.verifyLog({}, { signal: cancellation.signal });
    // Any of them may be the one that is refused, also this one while nobody waits for it yet.
    const cancelled = first.catch((error: unknown) =>
      assert.match(String(error), /enough|under way/u),
    );
    // They are short: each may have ended before the next one has its connection.
    await waitFor('two at a time', async () => {
      const both = await Promise.allSettled([client.verifyLog({}), client.verifyLog({})]);
      return both.some(
        (one) =>
          one.status === 'rejected' && /A verification is under way/u.test(String(one.reason)),
      );
    });
    cancellation.abort(new Error('enough'));
    await cancelled;
    await waitFor('the next one may start', () =>
      client.verifyLog({}).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  });

  await t.test('what is no checkpoint of this log is refused', async () => {
    const note = await client.checkpoint();
    for (const bad of ['', 'x', note.replace(/\n(\d+)\n/u, '\n1$1\n')]) {
      await assert.rejects(client.verifyLog({ since: bad }), /since: it is no checkpoint/u);
      await assert.rejects(client.verifyLog({ against: bad }), /against: it is no checkpoint/u);
    }
  });

  await t.test('the command line asks the server while it runs, and the folder after', async () => {
    const good = join(folder, 'good.txt');
    const data = ['--data', server.dataDir];
    const live = await holdfast(['audit', 'verify', ...data, '--save', good]);
    assert.equal(live.code, 0, live.stderr);
    assert.match(live.stdout, /✓ Nothing was changed\.[^]*what the server says of itself/u);
    assert.match(readFileSync(good, 'utf8'), /^holdfast\//u);
    await peer.abort();
    await server.stop();
    const since = await holdfast(['audit', 'verify', ...data, '--since', good, '--json']);
    assert.equal(since.code, 0, since.stderr);
    const report: unknown = JSON.parse(since.stdout);
    assert.ok(typeof report === 'object' && report !== null && 'since' in report);
    assert.ok(Number(report.since) > 400);
    const against = await holdfast(['audit', 'verify', ...data, '--against', server.dataDir]);
    assert.match(against.stdout, /compared +with a copy of \d+ entries/u);
    writeFileSync(good, 'nothing');
    const bad = await holdfast(['audit', 'verify', ...data, '--against', good]);
    assert.match(bad.stderr, /holds no checkpoint of this log/u);
  });
});
