import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { VirtualClock } from '@holdfast/testkit';
import type { Act } from '../audit/index.ts';
import { createLog } from '../kernel/index.ts';
import type { ServerCertificate } from '../pki/index.ts';
import { UPKEEP_MS } from './limits.ts';
import { startUpkeep } from './upkeep.ts';

test('upkeep runs every hour until it is stopped, whatever fails', async () => {
  const clock = new VirtualClock();
  const acts: Act[] = [];
  const lines: string[] = [];
  const pins = { certificate: 'ab', spki: 'cd', backupSpki: 'ef' };
  let runs = 0;
  let isDue = false;
  const stop = startUpkeep({
    clock,
    log: createLog({ form: 'json', level: 'info', write: (line) => lines.push(line) }),
    keeper: {
      renewCertificate: () => isDue,
      certificate: { pins } as ServerCertificate,
    },
    registry: {
      pruneCertificates() {
        runs += 1;
        throw new Error('the disk is gone');
      },
    },
    recordAct: async (act) => void acts.push(act),
  });
  await turn();
  assert.deepEqual([runs, acts.length], [1, 0]);
  isDue = true;
  clock.advance(UPKEEP_MS - 1);
  assert.equal(runs, 1);
  clock.advance(1);
  await turn();
  assert.equal(runs, 2);
  assert.deepEqual(acts, [
    {
      action: 'server.renew-certificate',
      principal: 'server',
      facts: { certificate: 'ab', spki: 'cd' },
    },
  ]);
  assert.equal(lines.length, 2);
  stop();
  clock.advance(UPKEEP_MS);
  assert.equal(runs, 2);
});
