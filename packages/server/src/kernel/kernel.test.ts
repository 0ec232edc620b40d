import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createLog } from './log.ts';
import { Secret } from './secret.ts';

test('a secret shows itself nowhere but where it is exposed', () => {
  const secret = new Secret('hunter2');
  const lines: string[] = [];
  createLog({ form: 'json', level: 'info', write: (line) => lines.push(line) }).info(
    { secret, nested: { secret } },
    'with '.concat(String(secret)),
  );
  const shown = [String(secret), JSON.stringify({ secret }), inspect(secret), ...lines];
  assert.ok(!shown.join('\n').includes('hunter2'));
  assert.ok(lines.join('').includes('[redacted]'));
  assert.equal(secret.expose(), 'hunter2');
});

test('logs are JSON with ECS names, or one readable line', () => {
  const json: string[] = [];
  createLog({ form: 'json', level: 'info', write: (line) => json.push(line) }).warn(
    { 'event.code': 'E_VERIFY_SIG' },
    'refused',
  );
  const fields = JSON.parse(json[0] ?? '{}');
  assert.equal(fields['log.level'], 'warn');
  assert.equal(fields.message, 'refused');
  assert.match(fields['@timestamp'], /^\d{4}-.*Z$/);
  const text: string[] = [];
  const log = createLog({ form: 'text', level: 'info', write: (line) => text.push(line) });
  log.warn({ 'event.code': 'E_VERIFY_SIG' }, 'refused');
  log.debug('not shown');
  assert.equal(text.length, 1);
  assert.match(text[0] ?? '', /^\d\d:\d\d:\d\d warn {2}refused event\.code=E_VERIFY_SIG\n$/);
});

test('what a peer chose cannot act on the terminal that shows the log', () => {
  const text: string[] = [];
  const log = createLog({ form: 'text', level: 'info', write: (line) => text.push(line) });
  log.warn({ topic: 'a\u001B[2Jb\nforged\u202Ec\u2028d' }, 'refused');
  assert.match(text[0] ?? '', /topic=a\\u\{1b\}\[2Jb\\u\{a\}forged\\u\{202e\}c\\u\{2028\}d\n$/);
  assert.equal(text[0]?.match(/\n/g)?.length, 1);
});
