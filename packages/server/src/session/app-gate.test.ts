import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnerApp } from '../registry/index.ts';
import { AppGate } from './app-gate.ts';

test('of an app, each certificate counts as long as who issued it is trusted', () => {
  const app: OwnerApp = {
    id: 'o.a',
    ownerId: 'owner:o',
    certificate: { fingerprint: 'old', spkiHash: '', notAfterMs: 1, issuerKeyId: '01' },
    pending: {
      fingerprint: 'new',
      spkiHash: '',
      notAfterMs: 1,
      issuerKeyId: '02',
      certificatePem: '',
    },
    createdAtMs: 0,
    lastSeenAtMs: 0,
  };
  const ended = new Set<string | undefined>();
  const gate = new AppGate({
    owners: { app: (id) => (id === app.id ? app : undefined), useCertificate: () => {} },
    check: () => assert.fail('nobody comes anew'),
    hasIssuerEnded: (issuerKeyId) => ended.has(issuerKeyId),
  });
  const codeOf = (fingerprint: string): string | undefined =>
    gate.recheck({ principal: 'app:o.a', fingerprint })?.code;
  assert.deepEqual([codeOf('old'), codeOf('new')], [undefined, undefined]);
  assert.equal(codeOf('older'), 'E_SESSION_SUPERSEDED');
  ended.add('01');
  assert.deepEqual([codeOf('old'), codeOf('new')], ['E_SESSION_FOREIGN_CA', undefined]);
});
