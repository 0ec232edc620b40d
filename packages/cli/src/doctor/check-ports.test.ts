import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '@holdfast/testkit';
import { checkPorts } from './check-ports.ts';
import { type OpenPort, isAcceptedBy, openPorts } from './open-ports.ts';

const tcp = (port: number, isLocal = false): OpenPort => ({
  protocol: 'tcp',
  port,
  isLocal,
  process: { pid: 7, name: 'mosquitto' },
});
const shown = (facts: Parameters<typeof checkPorts>[0]) =>
  checkPorts(facts).map(({ level, what }) => `${level}: ${what}`);
const wanted = [
  { name: 'broker', port: 8883 },
  { name: 'api', port: 8443 },
];
const CLOSED = 'good: 1883, 5683 and 80, which are not encrypted, are closed';

describe('who listens', () => {
  it('is read of the kernel: protocol, port, from where, and whose', async (t) => {
    if (!existsSync('/proc/net/tcp')) return t.skip('not Linux');
    const [everywhere, here, udp] = [createServer(), createServer(), createSocket('udp4')];
    everywhere.listen(0);
    here.listen(0, '127.0.0.1');
    udp.bind(0);
    await Promise.all([everywhere, here, udp].map((one) => once(one, 'listening')));
    t.after(() => void [everywhere.close(), here.close(), udp.close()]);
    const portOf = (one: typeof here | typeof udp): number => {
      const address = one.address();
      return typeof address === 'object' ? (address?.port ?? 0) : 0;
    };
    const open = openPorts() ?? [];
    const row = (protocol: string, port: number) =>
      open.find((one) => one.protocol === protocol && one.port === port);
    const process_ = { isLocal: false, pid: process.pid };
    for (const [protocol, server, isLocal] of [
      ['tcp', everywhere, false],
      ['tcp', here, true],
      ['udp', udp, false],
    ] as const) {
      const found = row(protocol, portOf(server));
      assert.deepEqual([found?.isLocal, found?.process?.pid], [isLocal, process_.pid], protocol);
    }
    // A connection is no listener.
    assert.ok(open.every(({ port }) => port > 0));
  });

  it('is known to be one process by the file that it holds, and nobody else', async (t) => {
    if (!existsSync('/proc/net/tcp')) return t.skip('not Linux');
    const folder = temporaryFolder(t);
    const [held, other] = [join(folder, 'held'), join(folder, 'other')];
    for (const path of [held, other]) writeFileSync(path, '');
    const descriptor = openSync(held, 'r');
    const [listener, closed] = [createServer(), createServer()];
    t.after(() => {
      closeSync(descriptor);
      listener.close();
    });
    const ports: number[] = [];
    for (const one of [listener, closed]) {
      one.listen(0);
      await once(one, 'listening');
      const address = one.address();
      ports.push(typeof address === 'object' ? (address?.port ?? 0) : 0);
    }
    await new Promise((resolve) => closed.close(resolve));
    const [port = 0, free = 0] = ports;
    const open = openPorts();
    assert.equal(isAcceptedBy(held, { open, port }), true);
    assert.equal(isAcceptedBy(held, { open, port: free }), false, 'nobody listens');
    assert.equal(isAcceptedBy(other, { open, port }), false, 'somebody else listens');
    assert.equal(isAcceptedBy(join(folder, 'none'), { open, port }), false);
    assert.equal(isAcceptedBy(held, { open: undefined, port }), false, 'no table');
    // Two on one port, at different addresses: either may get the connection.
    const hidden = { protocol: 'tcp', port, isLocal: true, process: undefined } as const;
    assert.equal(isAcceptedBy(held, { open: [...(open ?? []), hidden], port }), false);
  });

  it('cannot be told where there is no table', () => {
    assert.equal(openPorts('/nowhere'), undefined);
    assert.equal(checkPorts({ open: undefined, wanted, isRunning: true })[0]?.level, 'unknown');
  });
});

describe('the check of the ports', () => {
  it('wants them free while no server runs, and names who has them', () => {
    assert.deepEqual(shown({ open: [], wanted, isRunning: false }), [
      'good: 8883, 8443 are free for the server',
      CLOSED,
    ]);
    assert.deepEqual(shown({ open: [tcp(8883)], wanted, isRunning: false }), [
      'bad: Port 8883 (broker) is taken by mosquitto (process 7).',
      CLOSED,
    ]);
    const hidden = [{ ...tcp(8443), process: undefined }];
    const [first] = shown({ open: hidden, wanted, isRunning: false });
    assert.equal(first, 'bad: Port 8443 (api) is taken by a program of another user.');
  });

  it('wants them taken while one runs', () => {
    assert.deepEqual(shown({ open: [tcp(8883, true)], wanted, isRunning: true }), [
      'good: 8883 (broker): mosquitto (process 7), reached from this machine only',
      'bad: Nothing listens on port 8443 (api).',
      CLOSED,
    ]);
  });

  it('names every port that is not encrypted', () => {
    const open = [tcp(1883), tcp(80), { ...tcp(5683), protocol: 'udp' } as const, tcp(22)];
    const found = shown({ open, wanted: [], isRunning: true });
    assert.deepEqual(found, [
      'warn: Port 1883 is open: MQTT without encryption, by mosquitto (process 7).',
      'warn: UDP port 5683 is open: CoAP without encryption, by mosquitto (process 7).',
      'warn: Port 80 is open: HTTP without encryption, by mosquitto (process 7).',
    ]);
  });
});
