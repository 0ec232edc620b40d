import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import type { RunningServer, StartOptions } from '@holdfast/server';
import { FakeWorld } from '../fake-world.ts';

const info: RunningServer['info'] = {
  version: '0.1.0',
  dataDir: '/srv/holdfast data',
  broker: 'mqtts://localhost:8883',
  api: 'https://localhost:8443',
  enroll: 'https://localhost:8444',
  pins: {
    certificate: 'ab'.repeat(32),
    spki: `${'A'.repeat(43)}=`,
    backupSpki: `${'B'.repeat(43)}=`,
  },
  verifierKey: 'holdfast/x+00000000+AAAA',
};

const FIRST_LINK = 'https://localhost:8443/sign-in#first=ABCD-EFGH';

/** A server that stops when told to let it. */
function fakeServer(facts: Partial<RunningServer> = {}) {
  const started: StartOptions[] = [];
  const stopped = Promise.withResolvers<{ isComplete: boolean }>();
  let stops = 0;
  const stop = () => {
    stops += 1;
    return stopped.promise;
  };
  const start = (options: StartOptions) => {
    started.push(options);
    return Promise.resolve({
      isNew: true,
      info,
      firstCode: 'ABCD-EFGH',
      firstLink: FIRST_LINK,
      stop,
      ...facts,
    });
  };
  const createLog = () => ({}) as never;
  return {
    server: { start, createLog },
    started,
    stopCount: () => stops,
    letStop: (isComplete = true) => stopped.resolve({ isComplete }),
  };
}

/** Waits until the command listens to signals; it does so after a few turns of promises. */
async function listening(world: FakeWorld): Promise<() => void> {
  for (let turn = 0; turn < 100 && world.stopListeners.length === 0; turn += 1) {
    await Promise.resolve();
  }
  return world.stopListeners[0] ?? assert.fail('up does not listen to signals');
}

describe('up', () => {
  it('starts for this machine only unless a host is named', async () => {
    const { server, started, letStop } = fakeServer();
    const world = new FakeWorld({ server });
    const done = world.run('up');
    (await listening(world))();
    letStop();
    assert.equal(await done, 0);
    assert.deepEqual(started[0]?.hosts, []);
    assert.deepEqual(started[0]?.ports, { broker: 8883, api: 8443, enroll: 8444 });
    assert.equal(started[0]?.dataDir, world.env['HOLDFAST_DATA']);
  });

  it('passes hosts and ports on', async () => {
    const { server, started, letStop } = fakeServer();
    const world = new FakeWorld({ server });
    const hosts = ['--host', 'iot.example.com', '--host', '192.0.2.10'];
    const ports = ['--broker-port', '0', '--api-port', '1', '--enroll-port', '65535'];
    const done = world.run('up', ...hosts, ...ports);
    (await listening(world))();
    letStop();
    assert.equal(await done, 0);
    assert.deepEqual(started[0]?.hosts, ['iot.example.com', '192.0.2.10']);
    assert.deepEqual(started[0]?.ports, { broker: 0, api: 1, enroll: 65_535 });
  });

  it('passes on which proxies are believed, and none unless they are named', async () => {
    for (const [args, proxyFrom] of [
      [[], undefined],
      [
        ['--proxy-from', '10.0.0.5', '--proxy-from', '2001:db8::/64'],
        ['10.0.0.5', '2001:db8::/64'],
      ],
    ] as const) {
      const { server, started, letStop } = fakeServer();
      const world = new FakeWorld({ server });
      const done = world.run('up', ...args);
      (await listening(world))();
      letStop();
      assert.equal(await done, 0);
      assert.deepEqual(started[0]?.proxyFrom, proxyFrom);
    }
  });

  it('passes on how to get a certificate for the public name', async () => {
    const { server, started, letStop } = fakeServer();
    const world = new FakeWorld({ server });
    const eab = `${world.home}/eab.json`;
    writeFileSync(eab, '{"kid":"k1","hmacKey":"c2VjcmV0LXNlY3JldA"}', { mode: 0o600 });
    const acme = ['--acme-domain', 'IoT.example.com', '--acme-eab-file', eab];
    const hosts = ['--host', '192.0.2.10', '--host', 'iot.example.com'];
    const done = world.run('up', ...hosts, ...acme, '--acme-agree-terms');
    (await listening(world))();
    letStop();
    assert.equal(await done, 0);
    const options = started[0]?.acme;
    assert.equal(options?.domain, 'iot.example.com');
    assert.equal(options.directoryUrl, 'https://acme-v02.api.letsencrypt.org/directory');
    assert.ok(options.agreesToTerms);
    assert.equal(options.externalAccount?.macKey(), 'c2VjcmV0LXNlY3JldA');
    assert.doesNotMatch(inspect(options), /c2Vj/u);
  });

  it('refuses what cannot become a certificate, before anything is started', async () => {
    const host = ['--host', '192.0.2.10', '--host', 'iot.example.com'];
    for (const [args, said] of [
      [['--acme-email', 'me@example.com'], /--acme-email is for --acme-domain/u],
      [[...host, '--acme-domain', 'other.example.com'], /not among the names of --host/u],
      [['--host', '192.0.2.10', '--acme-domain', '192.0.2.10'], /is no DNS name/u],
      [['--host', 'a.example', '--acme-domain', 'a.example'], /first --host is for devices/u],
      [[...host, '--acme-domain', 'a_b.example.com'], /is no DNS name/u],
      [
        [...host, '--acme-domain', 'iot.example.com', '--acme-directory', 'http://a/'],
        /no address/u,
      ],
    ] as const) {
      const world = new FakeWorld({});
      assert.equal(await world.run('up', ...args), 2, args.join(' '));
      assert.match(world.errText, said);
    }
  });

  it('says where things are and what to do next', async () => {
    const { server, letStop } = fakeServer();
    const world = new FakeWorld({ server });
    const done = world.run('up', '--data', info.dataDir);
    (await listening(world))();
    letStop();
    await done;
    for (const expected of [
      'mqtts://localhost:8883',
      `SHA256 Fingerprint=${'AB:'.repeat(31)}AB\n`,
      `sha256//${info.pins.spki}`,
      `     ${FIRST_LINK}\n`,
      'the one-time code is ABCD-EFGH:',
      `npx holdfast login --data '/srv/holdfast data'\n`,
      `npx holdfast device add thermostat-1 --class sensor --data '/srv/holdfast data'\n`,
    ]) {
      assert.ok(world.outText.includes(expected), expected);
    }
  });

  it('keeps standard output for the log with --log json', async () => {
    const { server, letStop } = fakeServer({ firstCode: undefined, firstLink: undefined });
    const world = new FakeWorld({ server });
    const done = world.run('up', '--log', 'json');
    (await listening(world))();
    letStop();
    await done;
    assert.equal(world.outText, '');
    assert.match(world.errText, /is running/u);
    assert.doesNotMatch(world.errText, /login|sign-in/u);
  });

  it('takes the echo of a Ctrl-C by npm as the same, and a later one as impatience', async () => {
    const { server, stopCount, letStop } = fakeServer();
    const world = new FakeWorld({ server });
    const done = world.run('up');
    const signal = await listening(world);
    signal();
    world.time += 499;
    signal();
    assert.deepEqual(world.exits, []);
    world.time += 1;
    signal();
    assert.deepEqual(world.exits, [1]);
    letStop();
    await done;
    assert.equal(stopCount(), 1);
  });

  it('ends the process when nothing can be stored any more', async () => {
    const { server, started, letStop } = fakeServer();
    const world = new FakeWorld({ server });
    const done = world.run('up');
    const signal = await listening(world);
    started[0]?.onFatal?.(new Error('no space left on device'));
    assert.deepEqual(world.exits, [1]);
    assert.match(world.errText, /E_JOURNAL_UNAVAILABLE\n {2}why {3}no space left/u);
    signal();
    letStop();
    await done;
  });

  it('fails when not everything could be stored before it stopped', async () => {
    const { server, letStop } = fakeServer();
    const world = new FakeWorld({ server });
    const done = world.run('up');
    (await listening(world))();
    letStop(false);
    assert.equal(await done, 1);
    assert.match(world.errText, /E_JOURNAL_UNAVAILABLE/u);
    assert.doesNotMatch(world.errText, /Stopped\.\n/u);
  });

  it('explains a start that fails', async () => {
    const fault = Object.assign(new Error('Port 8883 (broker) is in use by another program.'), {
      code: 'E_WIRE_PORT_TAKEN',
      fix: 'Choose another port with --broker-port.',
    });
    const { server } = fakeServer();
    const world = new FakeWorld({ server: { ...server, start: () => Promise.reject(fault) } });
    assert.equal(await world.run('up'), 1);
    assert.match(world.errText, /Port 8883 .* in use[^]*E_WIRE_PORT_TAKEN[^]*--broker-port/u);
  });

  it('refuses ports and log forms that are none', async () => {
    for (const args of [
      ['--broker-port', '65536'],
      ['--api-port', '-1'],
      ['--enroll-port', ''],
      ['--log', 'xml'],
    ]) {
      const world = new FakeWorld();
      assert.equal(await world.run('up', ...args), 2, args.join(' '));
    }
  });
});
