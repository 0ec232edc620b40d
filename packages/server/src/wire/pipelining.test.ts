import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { openLab } from './lab.testing.ts';
import { openHttps } from './listener.ts';

test('requests that a peer sends at once are answered one after the other', async (t) => {
  const lab = openLab();
  const asked: string[] = [];
  const answer: ((response: Response) => void)[] = [];
  const listener = await openHttps({ ...lab.options, asksCertificate: false }, (request) => {
    asked.push(new URL(request.url).pathname);
    return new Promise<Response>((resolve) => answer.push(resolve));
  });
  t.after(() => listener.close());
  const socket = connect({ ...lab.anchor, port: listener.port });
  await once(socket, 'secureConnect');
  let text = '';
  socket.setEncoding('utf8').on('data', (part) => (text += part));
  socket.write(
    ['/a', '/b', '/c'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''),
  );
  const until = async (is: () => boolean): Promise<void> => {
    while (!is()) await new Promise(setImmediate);
  };
  for (const [at, path] of ['/a', '/b'].entries()) {
    await until(() => asked.length > at);
    await new Promise(setImmediate);
    // Nothing is made for those behind it, whose answers nobody may ever read.
    assert.equal(asked.at(-1), path);
    answer[at]?.(new Response(`this is ${path}`));
    await until(() => text.includes(`this is ${path}`));
  }
  await until(() => asked.length === 3);
  socket.destroy();
  await once(socket, 'close');
});

test('who leaves is not answered any more', async (t) => {
  const lab = openLab();
  let asked = 0;
  let hear = (): void => {};
  const first = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const listener = await openHttps({ ...lab.options, asksCertificate: false }, () => {
    asked += 1;
    hear();
    return new Promise<Response>(() => {});
  });
  t.after(() => listener.close());
  const socket = connect({ ...lab.anchor, port: listener.port });
  await once(socket, 'secureConnect');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50));
  await first;
  socket.destroy();
  await once(socket, 'close');
  for (let i = 0; i < 100; i += 1) await new Promise(setImmediate);
  assert.equal(asked, 1);
});
