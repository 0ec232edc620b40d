import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAppProof } from './app-proof.ts';

test('a proof names what it is for, where, the challenge and the certificate', () => {
  const text = formatAppProof({
    origin: 'https://server.example:8443',
    challenge: 'AAAA',
    certificate: 'ab12',
  });
  assert.equal(text, 'holdfast-app-session/1\nhttps://server.example:8443\nAAAA\nab12\n');
});
