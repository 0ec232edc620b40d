/** What may be behind a refusal of a device or an address: the harmless first. @module */
import type { RefusalCode } from './refusal-codes.ts';

/** For every code that a device, an app or a stranger can cause. */
export const REFUSAL_CAUSES = {
  E_WIRE_HANDSHAKE:
    'A client that is too old for TLS 1.3, a scanner that knocks on every door, or a device that does not trust the certificate of this server.',
  E_WIRE_PROXY:
    'A proxy that was not told to send the header, another program on its machine, or somebody who has got into its place.',
  E_WIRE_TIMEOUT: 'A slow or broken link, or somebody who holds connections open to use them up.',
  E_WIRE_CONNECTIONS:
    'Many devices behind one router, a client that opens connections without closing them, or an attempt to use all of them up.',
  E_WIRE_BUSY:
    'All devices came back at once after an outage, or somebody begins handshakes in bulk.',
  E_WIRE_HELD_OFF:
    'One misconfigured client that tries again and again, or somebody who tries doors.',
  E_WIRE_MEMORY: 'More devices than the machine has memory for, or a flood of connections.',
  E_WIRE_WEB_SOCKET: 'An app that speaks another protocol, or a scanner.',
  E_WIRE_REQUEST: 'A scanner, a device on the wrong port, or a broken HTTP library.',
  E_WIRE_PACKET:
    'A client on the wrong port, a faulty MQTT library, or somebody who searches for mistakes in ours.',
  E_WIRE_SIZE: 'A device that sends a whole file as one message, or an attempt to fill memory.',
  E_SESSION_NO_CERTIFICATE:
    'A client that was set up without its certificate, or a scanner. Without one nobody gets further.',
  E_SESSION_FOREIGN_CA:
    'A device of another server or another installation, or somebody who made a certificate of their own.',
  E_SESSION_EXPIRED: 'A device that was off for long, or one that cannot renew by itself.',
  E_SESSION_NOT_YET_VALID: 'The clock of this server or of the issuing one is wrong.',
  E_SESSION_PURPOSE:
    'The wrong file on the device, or somebody who tries every certificate they have.',
  E_SESSION_UNKNOWN_CERTIFICATE:
    'The registry was restored from an older backup; or somebody has the issuing key, which is the worst that can happen.',
  E_SESSION_REVOKED:
    'The device still runs after it was taken out of service, or whoever stole it tries to come back. It gets no further.',
  E_SESSION_SUPERSEDED:
    'A device with an older copy of its files, such as from a backup of its disk; or a clone.',
  E_SESSION_STATE: 'A device in quarantine or suspended that tries to come back, as it should.',
  E_SESSION_CLIENT_ID:
    'A client with a made-up client id; or a device that pretends to be another one.',
  E_SESSION_PROTOCOL: 'A faulty or very old MQTT library, or somebody who tries its limits.',
  E_SESSION_TIMEOUT: 'A dead link, or a peer that holds connections open on purpose.',
  E_SESSION_LIMIT: 'A client that subscribes or connects more often than it needs to.',
  E_SESSION_RATE: 'A program in a loop, or a device that was taken over and floods.',
  E_SESSION_FLAPPING:
    'Two devices with one identity that push each other out, a device that crashes and restarts, or a bad link.',
  E_SESSION_SLOW: 'A stuck client or a very slow link.',
  E_SESSION_API_KEY:
    'The key was not put on the device yet, or was replaced; or somebody has stolen the certificate without the key.',
  E_AUTHORIZE_PUBLISH:
    'A wrong topic in its settings; or a device that tries to speak for another one.',
  E_AUTHORIZE_SUBSCRIBE:
    'A filter that is too wide, such as #; or a device that tries to listen to others.',
  E_VERIFY_SIZE: 'A device that sends too much at once.',
  E_VERIFY_JSON: 'A device that sends something else than signed JSON, such as plain numbers.',
  E_VERIFY_DUPLICATE_KEY:
    'A faulty JSON library; or an attempt to have two readers read different things.',
  E_VERIFY_DEPTH: 'A faulty program; or an attempt to wear the parser out.',
  E_VERIFY_SIG_MISSING:
    'A client that does not sign yet, such as a plain mosquitto_pub; or somebody who has the certificate but not the payload key.',
  E_VERIFY_SIG_FORM: 'The signature is encoded in another way: base64, capitals, or cut off.',
  E_VERIFY_SIG:
    'The wrong payload key on the device, or a program that signs other bytes than it sends; or somebody changed the message on its way.',
  E_VERIFY_KID: 'The device has enrolled again and still signs with its old key.',
  E_VERIFY_COUNTER_MISSING: 'The program on the device sends no counter.',
  E_VERIFY_COUNTER_FORM: 'The counter is a text, a fraction, or too large.',
  E_VERIFY_REPLAY:
    'The same message was sent again after a lost acknowledgement, or the counter of the device began anew; or somebody recorded a message and plays it back.',
  E_VERIFY_TIME_FORM: 'The program writes its time in another form.',
  E_VERIFY_STALE:
    'The clock of the device is behind, or it kept the message for longer than its class allows; or somebody held it back.',
  E_VERIFY_FUTURE: 'The clock of the device is ahead, or that of this server is behind.',
  E_JOURNAL_UNAVAILABLE: 'The disk of this server is full or broken. The device did nothing wrong.',
  E_JOURNAL_DISK_FULL: 'The disk of this server is nearly full. The device did nothing wrong.',
  E_ROUTE_RETAINED: 'Devices use a new topic for each message and have all of them retained.',
  E_INGEST_INPUT: 'A faulty program on the device, or one for another version.',
  E_INGEST_SIZE: 'A device that comes back after a long outage and sends all it kept at once.',
  E_INGEST_BUSY: 'A device in a loop, or one that does not wait for answers.',
  E_ENROLL_CLAIM:
    'A typing mistake, or the claim of another server; many of these are somebody who guesses.',
  E_ENROLL_CLAIM_EXPIRED: 'The device was set up later than planned.',
  E_ENROLL_CLAIM_USED:
    'The device was set up twice; or somebody else had its claim first and has its identity now.',
  E_ENROLL_CSR: 'A faulty library, or bytes that were cut off on their way.',
  E_ENROLL_KEY: 'The device made an RSA key, or one on another curve.',
  E_ENROLL_STATE: 'A device that was revoked or retired tries to come back.',
  E_ENROLL_RATE: 'A device in a loop; or somebody who guesses claims.',
  E_ENROLL_DELIVERED:
    'The device lost its storage; or somebody who has the certificate asks for the key, too.',
  E_ENROLL_CLONE: 'A device that was set back to an older copy of its disk; or a clone of it.',
  E_ENROLL_GRACE: 'The device lay in a drawer for long.',
  E_ENROLL_IDEVID:
    'A device of a manufacturer that is not known here, or that was not allowed yet.',
  E_ENROLL_IDEVID_USED: 'The device was reset and enrolls again; or there is a clone of it.',
  E_ENROLL_OCSP: 'A client with a faulty library, or a scanner.',
  E_ENROLL_REVOCATION_RATE: 'A client that fetches the list for each connection, or a flood.',
  E_ENROLL_PAIR: 'A typing mistake, or a code that was too old; many of these are guesses.',
  E_ENROLL_PAIR_USED: 'The owner tried twice with two apps; or somebody else was faster.',
  E_OPERATE_INPUT: 'A program for another version of this server, or somebody who tries things.',
  E_OPERATE_SIZE: 'A program that sends too much at once.',
  E_OPERATE_UNAUTHENTICATED:
    'A session or token that has ended; or somebody who looks for open doors.',
  E_OPERATE_FORBIDDEN: 'Somebody without the right to it, or a token with too few rights.',
  E_OPERATE_CROSS_SITE:
    'A page of another site tried to act in the name of somebody who is signed in here.',
  E_OPERATE_SIGN_IN: 'A typing mistake; many of these are somebody who guesses passwords.',
  E_OPERATE_RATE: 'A program in a loop; or somebody who guesses.',
  E_OPERATE_NOT_FOUND: 'An old link, a typing mistake, or a scanner.',
  E_OPERATE_METHOD: 'A program for another version, or a scanner.',
  E_UPDATE_NOT_ASSIGNED:
    'Its assignment changed while it downloaded; or somebody uses its key to collect releases.',
  E_UPDATE_RATE: 'An update that fails and begins anew again and again.',
  E_UPDATE_BUSY: 'A rollout that offers the release to many devices at once.',
  E_UPDATE_INPUT: 'An update client of another version.',
  E_UPDATE_IDENTITY:
    'A controller id that was set by hand; or a device that speaks for another one.',
  E_UPDATE_TOKEN: 'The device has just renewed its certificate; or its token was copied.',
  E_UPDATE_TPM: 'The board of the device was replaced; or somebody pretends to be it.',
  E_UPDATE_BOOT:
    'The device was updated past this server, or its firmware was changed; or it replays an old proof.',
} as const satisfies Partial<Record<RefusalCode, string>>;

/** What may be behind a code; undefined for those that only people and their tools cause. */
export function causeOf(code: string): string | undefined {
  const causes: Readonly<Record<string, string>> = REFUSAL_CAUSES;
  return Object.hasOwn(causes, code) ? causes[code] : undefined;
}
