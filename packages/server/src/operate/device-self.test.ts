import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { type Refusal, refuse } from '@holdfast/protocol';
import { DEVICE_API_KEY_HEADER } from '@holdfast/protocol/api';
import type { HttpBindings } from '@hono/node-server';
import { AdmittedPeer } from '../session/index.ts';
import { openLab as openSessionLab } from '../session/lab.testing.ts';
import { DeviceSelf } from './device-self.ts';
import { openLab } from './lab.testing.ts';
import { DEVICE_SELF_REQUESTS_MAX } from './limits.ts';

/** A device that has to show a key, and how often one was checked. */
function open(t: TestContext) {
  const lab = openLab(t);
  const sessions = openSessionLab(t);
  const { certificate } = sessions.enroll('pump-1');
  const admit = (address: string): AdmittedPeer => {
    const peer = sessions.gate.admit({ certificate, chainProblem: undefined, address });
    return peer instanceof AdmittedPeer ? peer : assert.fail();
  };
  let peer = admit('192.0.2.1');
  let checks = 0;
  const wrong = (): Refusal => refuse('E_SESSION_API_KEY', 'wrong');
  const self = new DeviceSelf({
    ...lab.deps,
    gate: sessions.gate,
    identify: () => peer,
    apiKeyCheck: {
      checkKey: async (_peer, key) => {
        checks += 1;
        return key === 'right' ? { keyId: '1' } : wrong();
      },
      recheck: (_peer, shown) => (shown === undefined ? wrong() : undefined),
    },
  });
  const ask = async (key: string, address = '192.0.2.1'): Promise<number> => {
    peer = admit(address);
    const socket: unknown = Object.create(TLSSocket.prototype);
    const request = new Request('https://server.example/v1/d/pump-1/pair-code', {
      method: 'POST',
      headers: { [DEVICE_API_KEY_HEADER]: key },
    });
    const env = { incoming: { socket } } as unknown as HttpBindings;
    return (await self.fetch(request, env)).status;
  };
  return { ask, checks: () => checks };
}

test("requests are counted before a key is checked; a thief uses up no one else's", async (t) => {
  const { ask, checks } = open(t);
  for (let n = 0; n < DEVICE_SELF_REQUESTS_MAX; n += 1) assert.equal(await ask('wrong'), 401);
  assert.equal(await ask('wrong'), 429);
  assert.equal(checks(), DEVICE_SELF_REQUESTS_MAX);
  assert.equal(await ask('right', '198.51.100.7'), 201, 'the device itself, elsewhere');
});
