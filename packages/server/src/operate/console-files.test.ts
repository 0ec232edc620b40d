import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HttpBindings } from '@hono/node-server';
import { createApi } from './api.ts';
import { ConsoleFiles } from './console-files.ts';
import { openLab } from './lab.testing.ts';
import { CONSOLE_PIECE_BYTES } from './limits.ts';

const NAVIGATION = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

type Get = (path: string, headers?: Record<string, string>) => Promise<Response>;

function openConsole(
  t: TestContext,
  { isBuilt, script = 'export {};' }: { isBuilt: boolean; script?: string },
): Get {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  if (isBuilt) {
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>console</title>');
    writeFileSync(join(folder, 'app.html'), '<!doctype html><title>owner</title>');
    writeFileSync(join(folder, 'assets/main-1.js'), script);
  }
  const api = createApi({ ...openLab(t).deps, consoleFiles: new ConsoleFiles(folder) });
  const env = { incoming: { socket: { remoteAddress: '192.0.2.1' } } } as unknown as HttpBindings;
  return async (path, headers = NAVIGATION) =>
    api.fetch(new Request(`https://server.example${path}`, { headers }), env);
}

test('every page of the console is its index, under the strictest policy', async (t) => {
  const get = openConsole(t, { isBuilt: true });
  for (const path of ['/', '/sign-in', '/set-up', '/account', '/welcome', '/devices/pump.one']) {
    const answer = await get(path);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8', path);
    assert.match(await answer.text(), /<title>console/, path);
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.match(policy, /require-trusted-types-for 'script'; trusted-types 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  }
  assert.match(await (await get('/app')).text(), /<title>owner/);
});

test('the API, its documents and what is not there are no pages', async (t) => {
  const get = openConsole(t, { isBuilt: true });
  assert.equal((await get('/v1/devices')).status, 401);
  assert.equal((await get('/v1/sign-in/methods')).headers.get('content-type'), 'application/json');
  assert.match((await get('/openapi.json')).headers.get('content-type') ?? '', /json/);
  assert.equal((await get('/assets/gone-1.js')).status, 404);
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    assert.match((await get(path)).headers.get('content-type') ?? '', /text\/plain|json/, path);
  }
  assert.equal((await get('/sign-in', { accept: 'application/json' })).status, 404);
});

test('what never changes is kept for ever, and what may change is asked about', async (t) => {
  const get = openConsole(t, { isBuilt: true });
  const script = await get('/assets/main-1.js', {});
  assert.equal(script.headers.get('content-type'), 'text/javascript; charset=utf-8');
  assert.match(script.headers.get('cache-control') ?? '', /immutable/);
  const page = await get('/sign-in');
  assert.equal(page.headers.get('cache-control'), 'no-cache');
  const etag = page.headers.get('etag') ?? '';
  assert.equal((await get('/sign-in', { ...NAVIGATION, 'if-none-match': etag })).status, 304);
});

test('who does not read a file takes no memory for it', async (t) => {
  const content = 'x'.repeat(3 * CONSOLE_PIECE_BYTES + 1);
  const get = openConsole(t, { isBuilt: true, script: content });
  const answer = await get('/assets/main-1.js', {});
  assert.equal(answer.headers.get('content-length'), String(content.length));
  const reader = answer.body?.getReader();
  const first: unknown = (await reader?.read())?.value;
  assert.ok(first instanceof Uint8Array);
  assert.equal(first.length, CONSOLE_PIECE_BYTES);
  await reader?.cancel();
  assert.equal(await (await get('/assets/main-1.js', {})).text(), content);
});

test('a server without a built console says how to build it', async (t) => {
  const get = openConsole(t, { isBuilt: false });
  for (const path of ['/', '/sign-in']) {
    const answer = await get(path);
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /npm run build/);
  }
});
