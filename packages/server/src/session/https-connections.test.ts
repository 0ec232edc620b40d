import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Clock } from '../kernel/index.ts';
import type { Device } from '../registry/index.ts';
import type { AdmittedPeer } from './gate.ts';
import { HttpsConnections } from './https-connections.ts';
import { SUPERSEDED_GRACE_MS } from './limits.ts';

class FakeSocket extends EventEmitter {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

interface Lab {
  readonly connections: HttpsConnections;
  readonly timers: { delayMs: number; task: () => void }[];
  /** What the gate says from now on. */
  answer: { refusal: Refusal | undefined };
  identify(principal: string): FakeSocket;
  change(id: string): void;
}

function openLab(): Lab {
  const timers: Lab['timers'] = [];
  const answer: Lab['answer'] = { refusal: undefined };
  const listeners: ((device: Device) => void)[] = [];
  const principals = new Map<unknown, string>();
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    after(delayMs, task) {
      timers.push({ delayMs, task });
      return () => {};
    },
  };
  const connections = new HttpsConnections({
    clock,
    registry: {
      onChange(listener) {
        listeners.push(listener);
        return () => {};
      },
    },
    gate: { recheck: () => answer.refusal },
    identify: (socket) =>
      answer.refusal ??
      ({ principal: principals.get(socket), fingerprint: 'ab' } as unknown as AdmittedPeer),
  });
  return {
    connections,
    timers,
    answer,
    identify(principal) {
      const socket = new FakeSocket();
      principals.set(socket, principal);
      connections.identify(socket as unknown as TLSSocket);
      return socket;
    },
    change(id) {
      for (const listener of listeners) listener({ id } as Device);
    },
  };
}

test('connections of a device that may connect no more are closed at once; others stay', () => {
  const lab = openLab();
  const [first, second, other] = [lab.identify('a'), lab.identify('a'), lab.identify('b')];
  lab.change('a');
  assert.ok(!first.destroyed, 'it may still connect');
  lab.answer.refusal = refuse('E_SESSION_REVOKED', 'a is revoked');
  lab.change('a');
  assert.ok(first.destroyed && second.destroyed);
  assert.ok(!other.destroyed);
  lab.change('b');
  assert.ok(other.destroyed);
  lab.change('a');
});

test('one by a superseded certificate lives until the answer is through', () => {
  const lab = openLab();
  const socket = lab.identify('a');
  lab.answer.refusal = refuse('E_SESSION_SUPERSEDED', 'old');
  lab.change('a');
  assert.ok(!socket.destroyed);
  assert.deepEqual(
    lab.timers.map(({ delayMs }) => delayMs),
    [SUPERSEDED_GRACE_MS],
  );
  lab.timers[0]?.task();
  assert.ok(socket.destroyed);
});

test('whoever was not admitted, and what has ended, is not remembered', () => {
  const lab = openLab();
  const ended = lab.identify('a');
  ended.destroy();
  ended.destroyed = false;
  lab.answer.refusal = refuse('E_SESSION_REVOKED', 'a is revoked');
  const refused = lab.identify('a');
  lab.change('a');
  assert.ok(!ended.destroyed);
  assert.ok(!refused.destroyed);
});
