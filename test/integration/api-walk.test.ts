/**
 * Goal: nobody gets at, or learns of, what is not theirs. Method: reads the OpenAPI document of a
 * real server and calls every operation as everybody, with devices that are there, that may not be
 * seen, and that do not exist. What is expected is asked of the policy; a route that is added is
 * walked without a change here.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type InProcessServer, pairTestApp, startInProcess } from '@holdfast/testkit';

const ROLES = [
  'viewer',
  'operator',
  'installer',
  'auditor',
  'security-officer',
  'administrator',
] as const;
type Role = (typeof ROLES)[number];

/** Refused for who it is. */
const UNAUTHENTICATED = 401;
const REFUSED = new Set([403, 404]);

/** One operation of the document, with what it needs. */
interface Operation {
  readonly method: string;
  readonly path: string;
  /** `device:read`; undefined for what is public. */
  readonly action: string | undefined;
  readonly on: string | undefined;
  /** Whether it is for owners' apps, which come with a certificate. */
  readonly isForApps: boolean;
}

/** Somebody who calls: with a credential, or without. */
interface Caller {
  /** As the policy writes it. */
  readonly principal: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server with people of all roles and three devices. */
class Walk {
  readonly server: InProcessServer;
  readonly #access: { url: string; token: string; anchorPem: string };

  constructor(server: InProcessServer) {
    this.server = server;
    const text = readFileSync(join(server.dataDir, 'cli.json'), 'utf8');
    this.#access = JSON.parse(text) as { url: string; token: string; anchorPem: string };
  }

  /** Makes a request; what streams is cut off once its head is there. */
  call(
    method: string,
    path: string,
    {
      headers = {},
      body,
      identity,
    }: {
      headers?: Readonly<Record<string, string>>;
      body?: unknown;
      /** Certificate and key of a client, PEM. */
      identity?: { cert: string; key: string };
    } = {},
  ): Promise<Answer> {
    const { url, anchorPem: ca } = this.#access;
    const json = { 'content-type': 'application/json', ...headers };
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, url),
        { method, ca, headers: json, ...identity },
        (answer) => {
          const chunks: Buffer[] = [];
          const done = (): void =>
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              body: Buffer.concat(chunks).toString('utf8'),
            });
          if (answer.headers['content-type']?.startsWith('text/event-stream') === true) {
            answer.destroy();
            return done();
          }
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', done);
          answer.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(method === 'GET' || method === 'DELETE' ? undefined : JSON.stringify(body ?? {}));
    });
  }

  get local(): Caller {
    return { principal: 'local', headers: { authorization: `Bearer ${this.#access.token}` } };
  }

  async operations(): Promise<Operation[]> {
    const { body } = await this.call('GET', '/openapi.json');
    const { paths } = JSON.parse(body) as {
      paths: Record<string, Record<string, { 'x-holdfast-needs': string }>>;
    };
    return Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { 'x-holdfast-needs': needs }]): Operation => {
        const [action, target] = needs === 'public' ? [] : needs.split(' on ');
        const [on, by] = target?.split(' by ') ?? [];
        return { method: method.toUpperCase(), path, action, on, isForApps: by === 'app' };
      }),
    );
  }

  /** Somebody of a role, with an API token: it does nothing dangerous, so all can be walked. */
  async person(role: Role): Promise<Caller> {
    const invited = await this.#json<{ code: string }>('/v1/people', {
      headers: this.local.headers,
      body: { name: role, role },
    });
    const cookie = await this.#signIn(invited.code);
    const password = 'correct horse battery';
    await this.call('POST', '/v1/me/password', { headers: { cookie }, body: { password } });
    const { secret } = await this.#json<{ secret: string }>('/v1/me/totp', { headers: { cookie } });
    const code = totpCode(secret, Math.floor(Date.now() / 30_000));
    await this.#json('/v1/me/totp/confirm', { headers: { cookie }, body: { code } });
    const { token } = await this.#json<{ token: string }>('/v1/tokens', {
      headers: { cookie },
      body: { label: 'walk' },
    });
    return { principal: `person:${role}`, headers: { authorization: `Bearer ${token}` } };
  }

  /** What the policy in force says of each operation, and with all that it could ask for. */
  async expected(
    { principal }: Caller,
    operations: readonly Operation[],
  ): Promise<{ isPermitted: boolean; isPossible: boolean }[]> {
    const questions = operations.map(({ action = '', on }) => {
      const resource = on === 'server' || on === 'self' ? on : 'device:pump-1';
      return { decision: 'permit', principal, action, resource } as const;
    });
    const full = questions.map((each) => ({ ...each, steppedUp: true, secondPerson: true }));
    const { client } = this.server;
    const permitted = (await client.testPolicy({ expectations: questions })).outcomes;
    const possible = (await client.testPolicy({ expectations: full })).outcomes;
    return operations.map((_operation, at) => ({
      isPermitted: permitted[at]?.isExpected === true,
      isPossible: possible[at]?.isExpected === true,
    }));
  }

  async #signIn(code: string): Promise<string> {
    const { status, headers } = await this.call('POST', '/v1/sign-in/invitation', {
      body: { code },
    });
    assert.equal(status, 201);
    return (headers['set-cookie'] ?? []).map((each) => each.split(';')[0]).join('; ');
  }

  async #json<T>(path: string, options: Parameters<Walk['call']>[2]): Promise<T> {
    const { status, body } = await this.call('POST', path, options);
    assert.ok(status < 300, `${path}: ${body}`);
    return JSON.parse(body) as T;
  }
}

/** RFC 6238, from the base32 secret that an authenticator app is given. */
function totpCode(secret: string, step: number): string {
  const bits = Array.from(secret, (letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const key = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** The path with something in the place of its parameters. */
function filled(path: string, id: string): string {
  return path.replace('{id}', id).replaceAll(/\{\w+\}/g, '0123456789abcdef');
}

async function openWalk(t: TestContext): Promise<Walk> {
  const walk = new Walk(await startInProcess(t));
  for (const id of ['pump-1', 'pump-2']) {
    await walk.server.client.addDevice({ id, class: 'sensor' });
  }
  return walk;
}

function codeOf({ body }: Answer): string {
  try {
    return (JSON.parse(body) as { error: { code: string } }).error.code;
  } catch {
    return '';
  }
}

test('nobody gets one and the same answer from every operation that is not public', async (t) => {
  const walk = await openWalk(t);
  const bodies = new Set<string>();
  for (const { method, path, action } of await walk.operations()) {
    if (action === undefined) continue;
    for (const id of ['pump-1', 'no-such']) {
      const answer = await walk.call(method, filled(path, id));
      assert.equal(answer.status, UNAUTHENTICATED, `${method} ${path}`);
      bodies.add(answer.body);
    }
  }
  assert.equal(bodies.size, 1);
});

test('every role gets from every operation what the policy says, and nothing else', async (t) => {
  const walk = await openWalk(t);
  const operations = (await walk.operations()).filter(
    ({ action, isForApps }) => action !== undefined && !isForApps,
  );
  assert.ok(operations.length > 40);
  for (const role of ROLES) {
    const caller = await walk.person(role);
    let refused = 0;
    const expected = await walk.expected(caller, operations);
    for (const [at, { method, path, on }] of operations.entries()) {
      const what = `${role}: ${method} ${path}`;
      const { isPermitted, isPossible } = expected[at] ?? assert.fail(what);
      const answer = await walk.call(method, filled(path, 'no-such'), caller);
      assert.notEqual(answer.status, UNAUTHENTICATED, what);
      assert.ok(answer.status < 500, `${what}: ${answer.body}`);
      // What belongs to a session is refused to a token, by the route itself.
      if (on === 'self') continue;
      if (isPermitted) {
        assert.notEqual(answer.status, 403, `${what}: ${answer.body}`);
        continue;
      }
      refused += 1;
      assert.ok(REFUSED.has(answer.status), `${what}: ${answer.status} ${answer.body}`);
      // Of one thing that is not there, nobody learns which right is missing to it.
      if (on === 'device') assert.equal(answer.status, 404, what);
      else
        assert.equal(
          codeOf(answer),
          isPossible ? 'E_OPERATE_STEP_UP' : 'E_OPERATE_FORBIDDEN',
          what,
        );
    }
    assert.ok(refused > 0, `${role} was refused something`);
  }
});

/** A policy under which everybody but administrators sees `pump-1` and not `pump-2`. */
const HIDING = `
permit (principal in Role::"administrator", action, resource);
permit (principal is Person, action in Action::"self", resource) when { resource == principal };
permit (principal is Person, action, resource == Device::"pump-1");`;

test('a device that may not be seen is told from none by nobody, on any operation', async (t) => {
  const walk = await openWalk(t);
  await walk.server.client.setPolicy({ text: HIDING, reason: 'a test' });
  const operations = (await walk.operations()).filter(
    ({ on, isForApps }) => on === 'device' && !isForApps,
  );
  assert.ok(operations.length > 5);
  const caller = await walk.person('operator');
  for (const { method, path } of operations) {
    const answers = [];
    for (const id of ['pump-2', 'pump-x']) {
      const { status, headers, body } = await walk.call(method, filled(path, id), caller);
      const { date: _date, ...told } = headers;
      answers.push({ status, told, body: body.replaceAll(id, '<id>') });
    }
    const [hidden, absent] = answers;
    assert.equal(hidden?.status, 404, `${method} ${path}`);
    const lengths = new Set([hidden.told['content-length'], absent?.told['content-length']]);
    assert.equal(lengths.size, 1, path);
    assert.deepEqual(hidden, absent, `${method} ${path}`);
  }
});

test('lists and searches show no device that may not be seen', async (t) => {
  const walk = await openWalk(t);
  await walk.server.client.setPolicy({ text: HIDING, reason: 'a test' });
  const caller = await walk.person('viewer');
  const operations = await walk.operations();
  for (const { method, path, action } of operations) {
    if (method !== 'GET' || action === undefined || path.includes('{')) continue;
    const { status, body } = await walk.call(method, path, caller);
    assert.ok(!body.includes('pump-2'), `${path}: ${status} ${body}`);
  }
  const { body } = await walk.call('GET', '/v1/devices', caller);
  assert.ok(body.includes('pump-1'), 'the walk can see something');
});

test('people are strangers to the operations of apps, and apps to those of people', async (t) => {
  const walk = await openWalk(t);
  const { client } = walk.server;
  const app = await pairTestApp(t, walk.server, 'pump-1');
  const { certificatePem: cert, keyPem: key } = app.identity;
  for (const { method, path, action, isForApps } of await walk.operations()) {
    if (action === undefined) continue;
    const asked = filled(path, 'pump-1');
    const credential = isForApps ? walk.local : { identity: { cert, key } };
    assert.equal((await walk.call(method, asked, credential)).status, UNAUTHENTICATED, path);
  }
  assert.equal((await client.device('pump-1')).device.id, 'pump-1');
});

test('an app is told of the device of another owner what it is told of none', async (t) => {
  const walk = await openWalk(t);
  const app = await pairTestApp(t, walk.server, 'pump-1');
  await pairTestApp(t, walk.server, 'pump-2');
  const { certificatePem: cert, keyPem: key } = app.identity;
  const operations = (await walk.operations()).filter((each) => each.isForApps);
  assert.ok(operations.filter(({ on }) => on === 'device').length > 3);
  for (const { method, path, on } of operations) {
    const answers = [];
    for (const id of ['pump-2', 'pump-x']) {
      const body = { name: 'start' };
      const identity = { cert, key };
      const answer = await walk.call(method, filled(path, id), { identity, body });
      assert.ok(answer.status < 500, path);
      const { date: _date, ...told } = answer.headers;
      answers.push({ status: answer.status, told, body: answer.body });
      assert.ok(!answer.body.includes('pump-2'), `${path}: ${answer.body}`);
    }
    if (on !== 'device') continue;
    assert.equal(answers[0]?.status, 404, `${method} ${path}`);
    assert.deepEqual(answers[0], answers[1], `${method} ${path}`);
  }
});

test('every answer has the headers that keep browsers from harm, and no CORS', async (t) => {
  const walk = await openWalk(t);
  const origin = 'https://evil.example';
  for (const { method, path } of await walk.operations()) {
    const { headers } = await walk.call(method, filled(path, 'no-such'), { headers: { origin } });
    assert.equal(headers['access-control-allow-origin'], undefined, path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['cache-control'], 'no-store', path);
    assert.match(String(headers['content-security-policy']), /default-src 'none'/, path);
    const preflight = await walk.call('OPTIONS', filled(path, 'no-such'), {
      headers: { origin, 'access-control-request-method': method },
    });
    assert.ok(preflight.status >= 400, path);
    assert.equal(preflight.headers['access-control-allow-origin'], undefined, path);
  }
});
