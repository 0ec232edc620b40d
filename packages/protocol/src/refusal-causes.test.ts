import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REFUSAL_CAUSES, causeOf } from './refusal-causes.ts';
import { REFUSAL_CODES } from './refusal-codes.ts';

/** Stages that devices, apps and strangers get to. */
const OF_PEERS = /^E_(?:WIRE|SESSION|AUTHORIZE|VERIFY|JOURNAL|ROUTE|INGEST|ENROLL)_/u;
/** Codes of these stages that no peer of the server can cause. */
const OF_DEVICES_THEMSELVES = new Set(['E_VERIFY_COMMAND']);

test('every code that a peer can cause says what it could mean', () => {
  for (const code of Object.keys(REFUSAL_CODES)) {
    if (!OF_PEERS.test(code) || OF_DEVICES_THEMSELVES.has(code)) continue;
    assert.ok(causeOf(code), `${code} does not say what it could mean`);
  }
});

test('what it could mean is a sentence, and not what happened or what to do', () => {
  for (const [code, cause] of Object.entries(REFUSAL_CAUSES)) {
    const { what, fix } = REFUSAL_CODES[code as keyof typeof REFUSAL_CAUSES];
    assert.match(cause, /^[A-Z].*\.$/u, code);
    assert.ok(cause !== what && cause !== fix, code);
  }
});

test('a code of another release means nothing', () => {
  assert.equal(causeOf('E_LATER_CODE'), undefined);
  assert.equal(causeOf('toString'), undefined);
});
