/**
 * Goal: people find devices by what they know of them, and see none that they may not see. Method:
 * the routes on a real registry, with connections and reports as they would come in.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDeviceId } from '@holdfast/protocol';
import { DeviceFacetsSchema, DeviceListSchema, DeviceDetailSchema } from '@holdfast/protocol/api';
import { type Lab, codeOf, openLab, present } from './lab.testing.ts';

const IMAGE = 'ab'.repeat(32);

async function fleet(t: Parameters<typeof openLab>[0]): Promise<Lab> {
  const lab = openLab(t);
  const { registry, lastSeen, clock, deps } = lab;
  present(registry.add({ id: 'Pump-1', class: 'actuator', group: 'north', tags: ['roof', 'old'] }));
  present(registry.add({ id: 'pump-2', class: 'actuator', group: 'south', tags: ['roof'] }));
  present(registry.add({ id: 'thermo-1', class: 'sensor' }));
  present(registry.add({ id: 'thermo-2', class: 'sensor', group: 'north' }));
  for (const id of ['Pump-1', 'thermo-1']) {
    clock.advance(1_000);
    present(registry.changeState(id, { act: 'enroll', by: id, reason: 'test' }));
    present(registry.changeState(id, { act: 'activate', by: id, reason: 'test' }));
  }
  clock.advance(60_000);
  lastSeen.note('Pump-1');
  clock.advance(60_000);
  lastSeen.note('pump-2');
  lab.connected.set('thermo-1', {
    address: '192.0.2.7',
    sinceMs: clock.ms,
    protocol: 'MQTT 5',
    transport: { transport: 'TLS', tls: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    fingerprint: 'ab'.repeat(32),
    keepAliveS: 60,
  });
  const told = { state: 'confirmed', release: 'thermo@2.1.0', hardware: 'thermo-a' } as const;
  await deps.updates.reports.take(present(parseDeviceId('thermo-1')), told);
  const failed = { state: 'failed', release: 'thermo@2.1.0', running: IMAGE } as const;
  await deps.updates.reports.take(present(parseDeviceId('thermo-2')), failed);
  return lab;
}

async function listed(lab: Lab, query: string, token = lab.localToken): Promise<string[]> {
  const answer = await lab.call('GET', `/v1/devices?${query}`, { token });
  assert.equal(answer.status, 200, `${query} ${await answer.clone().text()}`);
  return DeviceListSchema.parse(await answer.json()).devices.map(({ id }) => id);
}

test('devices are found by everything that is known of them', async (t) => {
  const lab = await fleet(t);
  const at = (ms: number): string => new Date(lab.clock.ms - ms).toISOString();
  const all = ['Pump-1', 'pump-2', 'thermo-1', 'thermo-2'];
  for (const [query, ids] of [
    ['', all],
    ['q=PUMP', ['Pump-1', 'pump-2']],
    ['q=nor', ['Pump-1', 'thermo-2']],
    ['q=oof', ['Pump-1', 'pump-2']],
    ['q=sens', ['thermo-1', 'thermo-2']],
    ['q=nothing', []],
    ['state=active', ['Pump-1', 'thermo-1']],
    ['state=active,registered', all],
    ['class=sensor&group=north', ['thermo-2']],
    ['group=north,south', ['Pump-1', 'pump-2', 'thermo-2']],
    ['group=', ['thermo-1']],
    ['group=,south', ['pump-2', 'thermo-1']],
    ['tag=roof', ['Pump-1', 'pump-2']],
    ['tag=roof,old', ['Pump-1']],
    ['tag=', ['thermo-1', 'thermo-2']],
    ['online=yes', ['thermo-1']],
    ['online=no', ['Pump-1', 'pump-2', 'thermo-2']],
    ['seen=never', ['thermo-2']],
    ['seen=ever', ['Pump-1', 'pump-2', 'thermo-1']],
    [`seenBefore=${at(0)}`, ['Pump-1']],
    [`seenBefore=${at(60_000)}`, []],
    [`seenAfter=${at(0)}`, ['pump-2', 'thermo-1']],
    [`seenAfter=${at(60_000)}`, ['Pump-1', 'pump-2', 'thermo-1']],
    ['firmware=thermo@2.1.0', ['thermo-1']],
    ['firmware=thermo', ['thermo-1']],
    ['firmware=thermo@2', []],
    ['firmware=unknown', ['Pump-1', 'pump-2', 'thermo-2']],
    ['firmware=thermo,unknown&class=sensor', ['thermo-1', 'thermo-2']],
    ['update=failed', ['thermo-2']],
    ['update=failed,none', ['Pump-1', 'pump-2', 'thermo-2']],
    ['hardware=thermo-a', ['thermo-1']],
    ['owner=yes', []],
    ['owner=no&limit=2', ['Pump-1', 'pump-2']],
    [`certificateBefore=${at(0)}`, []],
  ] as const) {
    assert.deepEqual(await listed(lab, query), ids, query);
  }
});

test('a list comes in an order, page by page, and says how many there are', async (t) => {
  const lab = await fleet(t);
  for (const [query, ids] of [
    ['sort=seen', ['thermo-2', 'Pump-1', 'pump-2', 'thermo-1']],
    ['sort=seen&order=desc', ['thermo-1', 'pump-2', 'Pump-1', 'thermo-2']],
    ['sort=since&order=desc', ['thermo-1', 'Pump-1', 'thermo-2', 'pump-2']],
    ['sort=id&order=desc', ['thermo-2', 'thermo-1', 'pump-2', 'Pump-1']],
  ] as const) {
    const found: string[] = [];
    let after = '';
    for (;;) {
      const path = `/v1/devices?${query}&limit=1&count=yes${after}`;
      const answer = await lab.call('GET', path, { token: lab.localToken });
      const { devices, next, count } = DeviceListSchema.parse(await answer.json());
      assert.equal(count, 4);
      found.push(...devices.map(({ id }) => id));
      if (next === undefined) break;
      after = `&after=${next}`;
    }
    assert.deepEqual(found, ids, query);
  }
  const plain = await lab.call('GET', '/v1/devices', { token: lab.localToken });
  assert.equal(DeviceListSchema.parse(await plain.json()).count, undefined);
});

test('a device is shown with all that is known of it', async (t) => {
  const lab = await fleet(t);
  const views = async (id: string): Promise<unknown> => {
    const answer = await lab.call('GET', `/v1/devices/${id}`, { token: lab.localToken });
    const { device } = DeviceDetailSchema.parse(await answer.json());
    const { online, lastSeen, hasOwner, firmware, hardware, tags } = device;
    return { online, lastSeen, hasOwner, firmware, hardware, tags };
  };
  const now = new Date(lab.clock.ms).toISOString();
  assert.deepEqual(await views('thermo-1'), {
    online: true,
    lastSeen: now,
    hasOwner: false,
    firmware: { runs: 'thermo@2.1.0', release: 'thermo@2.1.0', state: 'confirmed', at: now },
    hardware: 'thermo-a',
    tags: undefined,
  });
  assert.deepEqual(await views('Pump-1'), {
    online: false,
    lastSeen: new Date(lab.clock.ms - 60_000).toISOString(),
    hasOwner: false,
    firmware: undefined,
    hardware: undefined,
    tags: ['old', 'roof'],
  });
});

test('what there is to filter by is counted, of what the caller may see', async (t) => {
  const lab = await fleet(t);
  const answer = await lab.call('GET', '/v1/device-facets', { token: lab.localToken });
  assert.deepEqual(DeviceFacetsSchema.parse(await answer.json()), {
    devices: 4,
    online: 1,
    states: [
      { value: 'active', devices: 2 },
      { value: 'registered', devices: 2 },
    ],
    classes: [
      { value: 'actuator', devices: 2 },
      { value: 'sensor', devices: 2 },
    ],
    groups: [
      { value: 'north', devices: 2 },
      { value: '', devices: 1 },
      { value: 'south', devices: 1 },
    ],
    tags: [
      { value: 'roof', devices: 2 },
      { value: 'old', devices: 1 },
    ],
    firmware: [
      { value: 'unknown', devices: 3 },
      { value: 'thermo@2.1.0', devices: 1 },
    ],
  });
});

test('whoever may see one group alone finds and counts nothing else', async (t) => {
  const lab = await fleet(t);
  const text = `permit (principal in Role::"administrator", action, resource);
    forbid (principal, action == Action::"device:read", resource is Device)
    unless { resource.group == Group::"north" };`;
  lab.deps.policies.authorizer.activate(text);
  assert.deepEqual(await listed(lab, 'count=yes'), ['Pump-1', 'thermo-2']);
  assert.deepEqual(await listed(lab, 'q=pump-2'), []);
  const path = '/v1/devices?count=yes&limit=1&sort=seen';
  const answer = await lab.call('GET', path, { token: lab.localToken });
  assert.equal(DeviceListSchema.parse(await answer.json()).count, 2);
  const facets = await lab.call('GET', '/v1/device-facets', { token: lab.localToken });
  const { devices, tags, online } = DeviceFacetsSchema.parse(await facets.json());
  assert.deepEqual([devices, online], [2, 0]);
  assert.deepEqual(
    tags.map(({ devices: count }) => count),
    [1, 1],
  );
});

test('a filter that means nothing is refused', async (t) => {
  const lab = openLab(t);
  for (const query of [
    'state=broken',
    'state=',
    'state=active,,claimed',
    'tag=Roof',
    'online=true',
    'seenBefore=yesterday',
    'sort=group',
    'order=up',
    'after=a~b',
    'limit=1001',
    `q=${'x'.repeat(65)}`,
    `group=${Array.from({ length: 17 }, (_, at) => `g${at}`).join(',')}`,
    'unknown=1',
  ]) {
    const answer = await lab.call('GET', `/v1/devices?${query}`, { token: lab.localToken });
    assert.equal(await codeOf(answer), 'E_OPERATE_INPUT', query);
  }
  assert.deepEqual(await listed(lab, `q=${'x'.repeat(64)}`), []);
  const groups = Array.from({ length: 16 }, (_, at) => `g${at}`).join(',');
  assert.deepEqual(await listed(lab, `group=${groups}`), []);
});
