/** Which session a client id means: decided by who the peer is proven to be. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { appOfPrincipal } from '../registry/index.ts';
import type { AdmittedPeer } from './gate.ts';

/** Which session a peer gets. */
export interface SessionName {
  /** Under which the session is kept. */
  readonly id: string;
  /** Whether it may outlive its connection. */
  readonly mayPersist: boolean;
}

/** Gives the session of a client id, or refuses the id. */
export type NameSession = (peer: AdmittedPeer, clientId: string) => SessionName | Refusal;

/**
 * A device has one session, and the client id must be its own: assigned and free client ids are
 * refused, as identity comes from the certificate alone. So it is with an app, whose client id is
 * its name without `app:`. A person may have several at a time.
 */
export const nameSession: NameSession = (peer, clientId) => {
  if (peer.kind === 'person') {
    return { id: `${peer.principal}/${clientId}`, mayPersist: false };
  }
  const ownId = appOfPrincipal(peer.principal) ?? peer.principal;
  // Device ids have these characters, and up to 64. MQTT 5 [MQTT-3.1.3-5], MQTT 3.1.1 [MQTT-3.1.3-5]
  if (clientId === ownId) return { id: peer.principal, mayPersist: true };
  return refuse('E_SESSION_CLIENT_ID', `the client id must be ${ownId}`);
};
