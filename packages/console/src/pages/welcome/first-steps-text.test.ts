import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  esp32Defines,
  esp32Nvs,
  isThisMachineOnly,
  mosquittoCommands,
  placeOf,
  programOf,
  scriptOf,
  sdkProgram,
} from './first-steps-text.ts';

const PINS = { certificate: 'ab'.repeat(32), spki: 'SPKI=', backupSpki: 'NEXT=' };
const SERVER = {
  broker: 'mqtts://iot.example.org:8883',
  enroll: 'https://iot.example.org:8444',
  pins: PINS,
} as Parameters<typeof placeOf>[1];

function guide(name: string): string {
  return readFileSync(join(import.meta.dirname, '../../../../../docs/guides', name), 'utf8');
}

test('a place has the names and ports of this server', () => {
  const place = placeOf('pump-1', SERVER);
  assert.deepEqual(place, {
    id: 'pump-1',
    host: 'iot.example.org',
    brokerPort: '8883',
    enroll: 'iot.example.org:8444',
    pins: PINS,
  });
  assert.ok(!isThisMachineOnly(place));
  assert.ok(isThisMachineOnly({ host: 'localhost' }));
  assert.ok(!isThisMachineOnly({ host: 'localhosting.example.org' }));
});

test('commands and settings name this device, this server and no other', () => {
  const place = placeOf('pump-1', SERVER);
  const commands = mosquittoCommands(place);
  for (const part of ['-h iot.example.org -p 8883 -i pump-1 -q 1', '-t d/pump-1/telemetry']) {
    assert.ok(commands.includes(part), part);
  }
  assert.doesNotMatch(commands, /--insecure/u);
  assert.match(esp32Defines(place), /BROKER "mqtts:\/\/iot\.example\.org:8883"/u);
  assert.match(esp32Nvs(place), /^pin,data,string,SPKI=\npin-next,data,string,NEXT=$/mu);
});

test('the guides have the programs that the page shows', () => {
  const script = scriptOf(guide('enroll-with-openssl.md'));
  for (const part of ['set -e -o pipefail', 'read -rs', 'simpleenroll', 'payload-keys']) {
    assert.ok(script.includes(part), part);
  }
  // What an operator types on the server is no part of the script.
  assert.doesNotMatch(script, /holdfast device add|```/u);
  assert.match(programOf(guide('python-device.md'), 'python'), /paho\.mqtt\.client/u);
  const sdk = sdkProgram({ id: 'pump-1' }, guide('device-sdk.md'));
  assert.match(sdk, /bundle: '\.\/pump-1'/u);
  assert.doesNotMatch(sdk, /thermostat/u);
  assert.throws(() => programOf('no program', 'python'), /no program in python/u);
});
