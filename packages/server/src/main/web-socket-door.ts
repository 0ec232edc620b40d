/** MQTT over WebSockets: devices by their certificate, people by their credential. @module */
import { Refusal } from '@holdfast/protocol';
import type { ReportRefusal } from '../kernel/index.ts';
import { callerOfUpgrade } from '../operate/index.ts';
import type { People } from '../registry/index.ts';
import type { OnWebSocket } from '../wire/index.ts';
import type { Flow } from './flow.ts';

/** What the door needs. */
export interface WebSocketDoorDeps extends Flow {
  readonly people: People;
  readonly report: ReportRefusal;
}

/**
 * Decides who a WebSocket belongs to. With a client certificate it is a device, as at the broker's
 * own port, and nothing else counts; without one, a person with an API token or a session.
 */
export function webSocketDoor(deps: WebSocketDoorDeps): OnWebSocket {
  const { identify, sessions, gate, people, report } = deps;
  return ({ tls, headers, address }) => {
    if (tls.getPeerX509Certificate() !== undefined) {
      const peer = identify(tls);
      if (!(peer instanceof Refusal)) return (stream) => sessions.add(peer, stream);
      report({ refusal: peer, address });
      return 401;
    }
    const caller = callerOfUpgrade(headers, people);
    if (caller instanceof Refusal) {
      report({ refusal: caller, address });
      return caller.code === 'E_OPERATE_CROSS_SITE' ? 403 : 401;
    }
    const { principal, scope } = caller;
    const liveUntilMs = (): number => people.liveUntilMs(caller);
    const person = gate.admitPerson({ principal, scope, address, liveUntilMs });
    return (stream) => sessions.add(person, stream);
  };
}
