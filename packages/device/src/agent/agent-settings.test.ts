/** The configuration: what may stand there, and what is said of what may not. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testFolder } from '../../test-support/test-bundle.ts';
import { loadAgentSettings, readAgentSettings } from './agent-settings.ts';
import { TRIAL_WITHIN_S } from './limits.ts';

const MINIMAL = {
  version: 1,
  bundle: 'bundle',
  state: '/var/agent',
  hardware: 'thermo-a',
  roots: { image: 'i.json', director: 'd.json' },
  slots: { kind: 'directory', root: 'slots' },
};

function read(change: object) {
  return readAgentSettings(JSON.stringify({ ...MINIMAL, ...change }), '/etc/holdfast');
}

test('paths begin at the folder of the file, and the rest has its defaults', () => {
  const settings = read({});
  assert.equal(settings.bundle, '/etc/holdfast/bundle');
  assert.equal(settings.state, '/var/agent');
  assert.deepEqual(settings.slots, { kind: 'directory', root: '/etc/holdfast/slots' });
  assert.deepEqual(settings.trial, {
    withinMs: 30_000,
    steadyMs: 5_000,
    offline: 'wait',
    offlineMs: 86_400_000,
  });
  assert.deepEqual(
    [settings.tries, settings.connection, settings.sameCounter],
    [3, 'mqtt', 'accept'],
  );
  assert.deepEqual(settings.image, { counter: 0 });
});

test('a TPM is used only where it is named', () => {
  assert.equal(read({}).tpm, undefined);
  assert.deepEqual(read({ tpm: {} }).tpm, {});
  const tpm = { tcti: 'swtpm:path=/run/tpm', eventLog: 'events', pcrs: [9, 8, 9] };
  assert.deepEqual(read({ tpm }).tpm, {
    tcti: 'swtpm:path=/run/tpm',
    eventLog: '/etc/holdfast/events',
    pcrs: [8, 9],
  });
});

test('what is wrong is named', () => {
  const { min, max } = TRIAL_WITHIN_S;
  const cases: [object, RegExp][] = [
    [{ version: 2 }, /"version" is no integer from 1 to 1/u],
    [{ hardware: 'Thermo A' }, /"hardware" does not have its form/u],
    [{ state: undefined }, /"state" is missing/u],
    [{ stat: 'x' }, /"stat" is unknown here/u],
    [{ slots: { kind: 'rauc' } }, /"slots.kind" is none of directory/u],
    [
      { slots: { kind: 'u-boot', environment: 'e', images: { a: 'x' } } },
      /"slots.images.b" is missing/u,
    ],
    [{ trial: { withinS: min - 1 } }, /"trial.withinS" is no integer/u],
    [{ trial: { withinS: max + 1 } }, /"trial.withinS" is no integer/u],
    [{ trial: { withinS: 3, steadyS: 4 } }, /"trial.steadyS" is longer/u],
    [{ trial: { checks: [{ name: 'x', command: [] }] } }, /"command" is no list/u],
    [
      { trial: { checks: [{ name: 'x', command: ['a'], shell: true }] } },
      /checks\[0\]\.shell" is unknown/u,
    ],
    [{ tpm: { pcrs: [24] } }, /tpm\.pcrs\[0\] is no PCR/u],
    [{ tpm: { tcti: 'device:/dev/tpm0; rm' } }, /"tpm.tcti" does not have its form/u],
    [{ tpm: { key: 1 } }, /"tpm.key" is unknown here/u],
    [{ image: { counter: -1 } }, /"image.counter" is no integer/u],
  ];
  for (const [change, message] of cases) assert.throws(() => read(change), { message });
  assert.equal(read({ trial: { withinS: max } }).trial.withinMs, max * 1_000);
  assert.equal(read({ trial: { withinS: min, steadyS: 0 } }).trial.withinMs, min * 1_000);
});

test('a file that cannot be used says so, with a way out', (t) => {
  const path = join(testFolder(t), 'agent.json');
  const code = 'E_DEVICE_AGENT_SETTINGS';
  assert.throws(() => loadAgentSettings(path), { code });
  writeFileSync(path, '{');
  assert.throws(() => loadAgentSettings(path), { code });
  writeFileSync(path, JSON.stringify(MINIMAL).padEnd(65_537));
  assert.throws(() => loadAgentSettings(path), { code, message: /too large/u });
  writeFileSync(path, JSON.stringify(MINIMAL).padEnd(65_536));
  assert.equal(loadAgentSettings(path).hardware, 'thermo-a');
});

test('the examples can be read', () => {
  for (const name of ['agent', 'agent-u-boot', 'agent-systemd-boot']) {
    const url = new URL(`../../../../examples/agent/${name}.json`, import.meta.url);
    assert.ok(readAgentSettings(readFileSync(url, 'utf8'), '/etc/holdfast'));
  }
});
