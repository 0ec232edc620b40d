import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labCosigned, labKey, labSigner, LabLog } from '../audit/lab.testing.ts';
import { openLab } from './lab.testing.ts';

/** What the routes answer, of which a test looks at some. */
interface Answer {
  readonly error?: { readonly code: string };
  readonly id?: string;
  readonly witnesses?: readonly Record<string, unknown>[];
  readonly witnessed?: unknown;
}

test('a witness is added, hands over, and is removed; every act is on record', async (t) => {
  const lab = openLab(t);
  const { labLog, recorded, localToken: token, clock } = lab;
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await lab.call(method, path, { token, body });
    const text = await answer.text();
    return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Answer };
  };
  labLog.append(10);
  const witness = labSigner('w.example');
  const checkpoint = labCosigned(labLog.checkpoint(), witness, Math.floor(clock.nowMs() / 1_000));
  const hand = (note: string) => call('POST', '/v1/log/cosignatures', { checkpoint: note });

  assert.equal((await hand(checkpoint)).body.error?.code, 'E_AUDIT_COSIGNATURE');
  assert.equal(
    (await call('POST', '/v1/witnesses', { key: 'x' })).body.error?.code,
    'E_AUDIT_WITNESS_KEY',
  );
  const added = await call('POST', '/v1/witnesses', { key: labKey(witness) });
  assert.equal(added.status, 201);
  assert.equal((await call('POST', '/v1/witnesses', { key: labKey(witness) })).status, 409);
  assert.equal((await hand(checkpoint)).status, 200);
  const at = new Date(clock.nowMs()).toISOString();
  assert.deepEqual((await call('GET', '/v1/server')).body.witnessed, {
    latest: { size: 10, at },
    isBehind: false,
  });
  assert.deepEqual((await call('GET', '/v1/witnesses')).body.witnesses?.[0]?.['latest'], {
    size: 10,
    at,
  });
  const id = added.body.id ?? '';
  assert.equal((await call('DELETE', `/v1/witnesses/${id}`)).status, 204);
  assert.equal((await call('DELETE', `/v1/witnesses/${id}`)).status, 404);
  assert.deepEqual(
    recorded.map(({ action, target }) => [action, target]),
    [
      ['witness.add', 'w.example'],
      ['witness.remove', 'w.example'],
    ],
  );
});

test('what only a witness has seen is an alarm, said once [E_AUDIT_BEHIND_WITNESS]', async (t) => {
  const lab = openLab(t);
  const { labLog, events, localToken: token, clock } = lab;
  const witness = labSigner('w.example');
  await lab.call('POST', '/v1/witnesses', { token, body: { key: labKey(witness) } });
  const other = new LabLog(labLog.signer).append(11);
  labLog.append(10);
  const checkpoint = labCosigned(other.checkpoint(), witness, Math.floor(clock.nowMs() / 1_000));
  for (let n = 0; n < 3; n += 1) {
    const answer = await lab.call('POST', '/v1/log/cosignatures', { token, body: { checkpoint } });
    assert.equal(answer.status, 409);
    assert.match(await answer.text(), /E_AUDIT_BEHIND_WITNESS/);
  }
  assert.deepEqual(
    events.map(({ name }) => name),
    ['log.behind-witness'],
  );
  const server = await lab.call('GET', '/v1/server', { token });
  assert.match(await server.text(), /"isBehind":true/);
});

test('tiles are hashes; full ones may be cached, by who asked alone', async (t) => {
  const { call, labLog, localToken: token } = openLab(t);
  labLog.append(300);
  const tile = (path: string) => call('GET', `/v1/log/tile/${path}`, { token });
  const full = await tile('0/000');
  assert.equal((await full.bytes()).length, 8_192);
  assert.match(full.headers.get('cache-control') ?? '', /^private, .*immutable$/);
  const partial = await tile('0/001.p/44');
  assert.equal((await partial.bytes()).length, 44 * 32);
  assert.equal(partial.headers.get('cache-control'), 'no-store');
  for (const path of ['0/001', '0/001.p/45', '1/000', '7/000', '0/0', 'entries/000']) {
    assert.equal((await tile(path)).status, 404, path);
  }
});
