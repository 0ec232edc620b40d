import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiErrorSchema } from '@holdfast/protocol/api';
import fc from 'fast-check';
import { openApiDocument } from './api.ts';
import { type LabRequest, codeOf, openLab, present } from './lab.testing.ts';
import { BODY_BYTES_MAX } from './limits.ts';

const COMMANDS = '/v1/devices/dev-1/commands';

/** Sends a command to a device that exists, as JSON text. */
function openCommands(
  t: Parameters<typeof openLab>[0],
): (text: string | Uint8Array<ArrayBuffer>) => Promise<Response> {
  const lab = openLab(t);
  present(lab.registry.add({ id: 'dev-1', class: 'sensor' }));
  return (rawBody) => lab.call('POST', COMMANDS, { token: lab.localToken, rawBody });
}

async function assertRefused(answer: Response, status: number, code: string): Promise<string> {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  const { error } = ApiErrorSchema.parse(JSON.parse(text));
  assert.equal(error.code, code);
  return error.message;
}

test('a body of the largest size is read, and one byte more is refused', async (t) => {
  const send = openCommands(t);
  const text = '{"name": "open", "body": {}}';
  assert.equal((await send(text.padEnd(BODY_BYTES_MAX))).status, 201);
  const large = text.padEnd(BODY_BYTES_MAX + 1);
  await assertRefused(await send(large), 413, 'E_OPERATE_SIZE');
});

test('the size counts where it is declared, too', async (t) => {
  const lab = openLab(t);
  const headers = { 'content-length': String(BODY_BYTES_MAX + 1) };
  const answer = await lab.call('POST', '/v1/devices', { token: lab.localToken, headers });
  await assertRefused(answer, 413, 'E_OPERATE_SIZE');
});

test('what is no JSON, or no JSON of the API, is refused with where and why', async (t) => {
  const send = openCommands(t);
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['', /Malformed JSON/],
    ['{', /Malformed JSON/],
    ['{"name": "open", "body": {}}x', /Malformed JSON/],
    ['null', /expected object/],
    ['[]', /expected object/],
    ['"text"', /expected object/],
    ['{}', /name: .*expected string/],
    ['{"name": 1, "body": {}}', /name: .*expected string/],
    ['{"name": "open", "body": []}', /body: .*expected record/],
    ['{"name": "open", "body": {}, "qos": 2}', /Unrecognized key: "qos"/],
    ['{"name": "open", "body": {}, "constructor": 1}', /Unrecognized key: "constructor"/],
    ['{"name": "open", "body": {"ctr": 1}}', /body: must not contain/],
    ['{"name": "open", "body": {"ts": 1}}', /body: must not contain/],
    ['{"name": "open", "body": {"sig": "a"}}', /body: must not contain/],
  ];
  for (const [text, expected] of cases) {
    const message = await assertRefused(await send(text), 400, 'E_OPERATE_INPUT');
    assert.match(message, expected, text);
  }
});

test('bytes that are no UTF-8 do no harm', async (t) => {
  const send = openCommands(t);
  await assertRefused(await send(new Uint8Array([0xff, 0xfe, 0x80])), 400, 'E_OPERATE_INPUT');
});

test('a name of a command is one topic level', async (t) => {
  const send = openCommands(t);
  const wrong = ['a/b', '#', '+', '', '.', '-a', 'a b', 'a\0', 'ä', '$sys', 'x'.repeat(65), '/'];
  for (const name of wrong) {
    const answer = await send(JSON.stringify({ name, body: {} }));
    await assertRefused(answer, 400, 'E_OPERATE_INPUT');
  }
  for (const name of ['a', '0', 'a.b_c-d', 'x'.repeat(64)]) {
    assert.equal((await send(JSON.stringify({ name, body: {} }))).status, 201, name);
  }
});

test('a command that cannot be signed is the mistake of its sender', async (t) => {
  const send = openCommands(t);
  const nested = (depth: number): string =>
    `{"name": "open", "body": {"a": ${'['.repeat(depth)}${']'.repeat(depth)}}}`;
  const wide = (count: number): string =>
    JSON.stringify({ name: 'open', body: { a: 'ä'.repeat(count) } });
  // The body is the first of 32 levels.
  assert.equal((await send(nested(31))).status, 201);
  // An ä takes two bytes on its way here, and six when it is signed.
  assert.equal((await send(wide(10_000))).status, 201);
  for (const text of [
    nested(32),
    nested(10_000),
    wide(20_000),
    '{"name": "open", "body": {"a": 1e400}}',
  ]) {
    await assertRefused(await send(text), 400, 'E_OPERATE_INPUT');
  }
  assert.equal((await send('{"name": "open", "body": {"a": "\\ud800"}}')).status, 201);
});

test('__proto__ is a key like any other, and changes nothing', async (t) => {
  const send = openCommands(t);
  const inside = '{"__proto__": {"isAdministrator": true}}';
  for (const text of [
    `{"name": "open", "body": {"a": ${inside}}}`,
    `{"name": "open", "body": ${inside}}`,
    `{"name": "open", "body": {}, "__proto__": {}}`,
    `{"__proto__": {"name": "open", "body": {}}}`,
    inside,
  ]) {
    const { status } = await send(text);
    assert.ok(status === 201 || status === 400, `${status} for ${text}`);
  }
  assert.ok(!('isAdministrator' in {}));
});

test('an answer never quotes more than a little of the request', async (t) => {
  const send = openCommands(t);
  const key = 'k'.repeat(60_000);
  for (const text of [
    `{"${key}": 1, "name": "a", "body": {}}`,
    `{"name": "a", "body": {"${key}": 1}}`,
  ]) {
    const message = await assertRefused(await send(text), 400, 'E_OPERATE_INPUT');
    assert.ok(message.length <= 600);
  }
});

test('a page is asked for by whole numbers within its limits', async (t) => {
  const lab = openLab(t);
  const get = (query: string): Promise<Response> =>
    lab.call('GET', `/v1/refusals?${query}`, { token: lab.localToken });
  for (const query of [
    '',
    'limit=1',
    'limit=1000',
    'before=1',
    'limit=2&before=9007199254740991',
  ]) {
    assert.equal((await get(query)).status, 200, query);
  }
  for (const query of [
    'limit=0',
    'limit=1001',
    'limit=1.5',
    'limit=x',
    'limit=',
    'limit=-1',
    'limit=Infinity',
    'limit=1&limit=2',
    'before=0',
    'before=9007199254740992',
    'before=1&before=2',
    'offset=1',
    '__proto__=1',
    'constructor=1',
    'limit=%',
    'limit=%E0%A4%A',
    '%00=1',
  ]) {
    const answer = await get(query);
    // A duplicate, an unknown or a broken parameter is refused; none does harm.
    assert.equal(answer.status, query === '__proto__=1' ? answer.status : 400, query);
    assert.ok(answer.status < 500, query);
  }
});

test('a path that does not exist is not found, with or without a credential', async (t) => {
  const lab = openLab(t);
  const paths = ['/nothing', '/v1', '/v1/', '/v1/devices/', '//v1/me', '/v1/me/', '/V1/me'];
  for (const path of [...paths, '/v1/devices/dev-1/readings/', '/%2e%2e/etc/passwd', '/%00']) {
    for (const token of [undefined, lab.localToken]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await lab.call(method, path, { token });
        await assertRefused(answer, 404, 'E_OPERATE_NOT_FOUND');
      }
    }
  }
});

test('a device id that is none is refused before anything looks for it', async (t) => {
  const lab = openLab(t);
  for (const id of ['a%2fb', '%00', 'a%20b', '%E0%A4%A', 'x'.repeat(65), '__proto__']) {
    const answer = await lab.call('GET', `/v1/devices/${id}`, { token: lab.localToken });
    await assertRefused(answer, 400, 'E_OPERATE_INPUT');
  }
  const absent = await lab.call('GET', '/v1/devices/constructor', { token: lab.localToken });
  await assertRefused(absent, 404, 'E_OPERATE_NOT_FOUND');
});

test('a reason is one line of plain text', async (t) => {
  const lab = openLab(t);
  present(lab.registry.add({ id: 'dev-1', class: 'sensor' }));
  const revoke = (reason: string): Promise<Response> => {
    const request = { token: lab.localToken, body: { reason } };
    return lab.call('POST', '/v1/devices/dev-1/revoke', request);
  };
  for (const reason of ['', 'a\nb', 'a\u001b[31m', 'a\u0085b', 'a\u2028b', 'x'.repeat(257)]) {
    await assertRefused(await revoke(reason), 400, 'E_OPERATE_INPUT');
  }
  assert.equal(lab.registry.byId('dev-1')?.state, 'registered');
  assert.equal((await revoke('ü'.repeat(256))).status, 200);
});

test('a body of another type is refused, also with a token', async (t) => {
  const lab = openLab(t);
  const body = { id: 'dev-1', class: 'sensor' };
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
    const request = { token: lab.localToken, body, headers: { 'content-type': type } };
    await assertRefused(await lab.call('POST', '/v1/devices', request), 400, 'E_OPERATE_INPUT');
  }
});

test('each answer forbids to keep, frame, sniff and load it', async (t) => {
  const lab = openLab(t);
  const { localToken: token } = lab;
  present(lab.registry.add({ id: 'dev-1', class: 'sensor' }));
  const answers = {
    200: await lab.call('GET', '/v1/devices', { token }),
    201: await lab.call('POST', '/v1/devices/dev-1/claim', { token }),
    400: await lab.call('POST', '/v1/devices', { token, body: {} }),
    401: await lab.call('GET', '/v1/devices'),
    404: await lab.call('GET', '/nothing'),
    405: await lab.call('PUT', '/v1/devices', { token }),
    413: await lab.call('POST', '/v1/sign-in', { rawBody: ' '.repeat(BODY_BYTES_MAX + 1) }),
    500: await failing(),
  };
  function failing(): Promise<Response> {
    lab.journal.beforeRecord = () => {
      throw new Error('the disk is gone');
    };
    return lab.call('POST', '/v1/devices/dev-1/claim', { token });
  }
  for (const [status, answer] of Object.entries(answers)) {
    assert.equal(answer.status, Number(status));
    const header = (name: string): string | null => answer.headers.get(name);
    assert.equal(header('cache-control'), 'no-store', status);
    assert.equal(header('x-content-type-options'), 'nosniff', status);
    assert.equal(header('x-frame-options'), 'DENY', status);
    assert.equal(header('referrer-policy'), 'no-referrer', status);
    assert.equal(header('strict-transport-security'), 'max-age=31536000', status);
    const policy = "default-src 'none'; frame-ancestors 'none'";
    assert.equal(header('content-security-policy'), policy, status);
    assert.equal(header('access-control-allow-origin'), null, status);
    assert.equal(header('www-authenticate') !== null, status === '401');
  }
  assert.equal(await codeOf(answers[500]), 'E_OPERATE_FAULT');
});

/**
 * Goal: nothing that anybody can send makes the server fail. Method: operations of the document
 * and other paths, with bodies near and far from right ones, as stranger and as administrator.
 */
test('no request makes the server fail', async (t) => {
  const lab = openLab(t);
  const { localToken } = lab;
  present(lab.registry.add({ id: 'dev-1', class: 'sensor' }));
  const { paths } = openApiDocument() as { paths: Record<string, object> };
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => ({ method: method.toUpperCase(), path })),
  );
  const operation = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...operations) },
    {
      weight: 1,
      arbitrary: fc.record({
        method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'),
        path: fc.oneof(fc.webPath(), fc.constantFrom(...Object.keys(paths))),
      }),
    },
  );
  const id = fc.oneof(
    { weight: 3, arbitrary: fc.constant('dev-1') },
    { weight: 1, arbitrary: fc.constantFrom('absent', '__proto__', '..', '%2e', '%', '%00') },
    { weight: 1, arbitrary: fc.string({ maxLength: 80 }).map(encodeURIComponent) },
  );
  const keys = ['id', 'class', 'name', 'body', 'label', 'lifeMs', 'reason', 'code', '__proto__'];
  const values = fc.constantFrom('dev-1', 'dev-2', 'sensor', 'open', {}, 60_000, 'x');
  const near = fc.dictionary(fc.constantFrom(...keys), fc.oneof(values, fc.jsonValue()));
  const right = fc.oneof(
    fc.record({ name: fc.constant('open'), body: fc.dictionary(fc.string(), fc.jsonValue()) }),
    fc.record({ id: fc.string({ maxLength: 3 }), class: fc.constant('sensor') }),
    fc.record({ reason: fc.string() }),
  );
  const rawBody = fc.oneof(
    fc.oneof(near, right).map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
  );
  const query = fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.webQueryParameters().map((text) => `?${text}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('?limit=1', '?before=0', '?__proto__=1', '?limit[]=1', '?%', '?='),
    },
  );
  const name = fc.constantFrom('origin', 'sec-fetch-site', 'content-type', 'cookie', 'x');
  const value = fc.string({
    unit: fc.constantFrom(...'ab=;,/:%"\\ 0_-.*{'.split('')),
    maxLength: 40,
  });
  const headers = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.dictionary(name, value, { maxKeys: 2, noNullPrototype: true }) },
  );
  const token = fc.oneof(
    { weight: 3, arbitrary: fc.constant(localToken) },
    { weight: 1, arbitrary: fc.constantFrom(undefined, 'hf_x') },
  );
  const request = fc.record({ operation, id, query, rawBody, token, headers });
  const seen = new Set<number>();
  // A password costs 40 ms, and the limiter would soon answer for everything else.
  const isSlow = (text: string): boolean => text.startsWith('/v1/sign-in');
  await fc.assert(
    fc.asyncProperty(request, async ({ operation, id, query, ...rest }) => {
      const { method, path } = operation;
      const where = path.replace('{id}', id) + query;
      const hasBody = method !== 'GET' && method !== 'HEAD';
      const { rawBody, ...credentials } = rest;
      const request: LabRequest = hasBody ? { ...credentials, rawBody } : credentials;
      const answer = await lab.call(method, where, request);
      seen.add(answer.status);
      assert.ok(answer.status < 500, `${answer.status}: ${lab.logLines.at(-1)}`);
      const isError = answer.status >= 400 && method !== 'HEAD';
      if (isError) ApiErrorSchema.parse(await answer.json());
      else await answer.body?.cancel();
      if (isSlow(where)) lab.clock.advance(60_000);
    }),
    { numRuns: 2_000 },
  );
  for (const status of [200, 201, 400, 401, 404, 405]) {
    assert.ok(seen.has(status), `the requests never led to ${status}`);
  }
});
