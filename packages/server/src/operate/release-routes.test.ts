import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { UPLOAD_PART_BYTES_MAX } from '../update/index.ts';
import { codeOf, openLab } from './lab.testing.ts';
import { BODY_BYTES_MAX, SIGNING_BODY_BYTES_MAX } from './limits.ts';

const binary = (bytes: Uint8Array<ArrayBuffer>) => ({
  rawBody: bytes,
  headers: {
    'content-type': 'application/octet-stream',
    'content-length': String(bytes.length),
  },
});

test('an artifact is brought in parts, and is on the log before it is stored', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const bytes = new Uint8Array(randomBytes(100_000));
  const body = { length: bytes.length };
  const begun = await lab.call('POST', '/v1/firmware/uploads', { session, body });
  const { id } = (await begun.json()) as { id: string };
  const path = `/v1/firmware/uploads/${id}`;
  const part = await lab.call('PUT', `${path}?at=0`, { session, ...binary(bytes) });
  assert.equal(part.status, 200);
  const finished = await lab.call('POST', `${path}/finish`, { session });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  assert.deepEqual(await finished.json(), { sha256, length: bytes.length });
  assert.equal(lab.recorded.at(-1)?.action, 'update.artifact');
  assert.equal(lab.recorded.at(-1)?.target, sha256);
  const proposed = {
    sha256,
    fileName: 'app.bin',
    release: { line: 'thermo', version: '1.0.0', hardware: ['thermo-a'], counter: 1 },
  };
  const release = await lab.call('POST', '/v1/firmware/releases', { session, body: proposed });
  assert.equal(await codeOf(release), 'E_UPDATE_REQUEST', 'nobody has signed any root');
  const absent = { ...proposed, sha256: 'ab'.repeat(32) };
  const other = await lab.call('POST', '/v1/firmware/releases', { session, body: absent });
  assert.equal(await codeOf(other), 'E_UPDATE_ARTIFACT');
  const wrong = { ...proposed, release: { ...proposed.release, version: 'v1' } };
  const bad = await lab.call('POST', '/v1/firmware/releases', { session, body: wrong });
  assert.equal(await codeOf(bad), 'E_OPERATE_INPUT');
});

test('bodies are bound by what they are for, and by what they say', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const status = async (path: string, said: number | undefined, bytes: number) => {
    const length = said === undefined ? {} : { 'content-length': String(said) };
    const headers = { 'content-type': 'application/octet-stream', ...length };
    const rawBody = new Uint8Array(bytes);
    const method = path.includes('uploads') ? 'PUT' : 'POST';
    return (await lab.call(method, path, { session, rawBody, headers })).status;
  };
  const upload = '/v1/firmware/uploads/ab?at=0';
  const max = UPLOAD_PART_BYTES_MAX;
  assert.equal(await status(upload, max, max), 404);
  assert.equal(await status(upload, max + 1, 1), 413);
  assert.equal(await status(upload, undefined, BODY_BYTES_MAX), 404);
  assert.equal(await status(upload, undefined, BODY_BYTES_MAX + 1), 413, 'it does not say so');
  const requests = '/v1/firmware/requests';
  assert.notEqual(await status(requests, SIGNING_BODY_BYTES_MAX, 10), 413);
  assert.equal(await status(requests, SIGNING_BODY_BYTES_MAX + 1, 10), 413);
  assert.equal(await status('/v1/firmware/releases', BODY_BYTES_MAX + 1, 10), 413);
});

test('a device is told to run only what is released', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const device = { id: 'pump-1', class: 'sensor' };
  await lab.call('POST', '/v1/devices', { session, body: device });
  const path = '/v1/devices/pump-1/update';
  const body = { release: 'thermo@1.0.0' };
  const wrong = await lab.call('PUT', path, { session, body });
  assert.equal(await codeOf(wrong), 'E_OPERATE_NOT_FOUND');
  const none = await lab.call('PUT', path, { session, body: { release: null } });
  assert.deepEqual(await none.json(), { device: 'pump-1' });
  const read = await lab.call('GET', path, { session });
  assert.deepEqual(await read.json(), { device: 'pump-1' });
});
