/** Every refusal code with what it means and what to do: shown by the CLI, the API and the docs. @module */

/** What one refusal code tells an operator. */
export interface RefusalMeaning {
  /** What happened, in plain words. */
  readonly what: string;
  /** The next step. */
  readonly fix: string;
}

const meaning = (what: string, fix: string): RefusalMeaning => ({ what, fix });

/** All refusal codes. The second word is the stage of the flow that refused. */
export const REFUSAL_CODES = {
  E_WIRE_HANDSHAKE: meaning(
    'The TLS handshake failed.',
    'The peer must speak TLS 1.3; a scanner or a plaintext client looks like this too.',
  ),
  E_WIRE_PROXY: meaning(
    'A connection from the address of a proxy did not begin with a valid PROXY header.',
    'Let the proxy send version 2 (HAProxy: send-proxy-v2), or leave it out of --proxy-from.',
  ),
  E_WIRE_TIMEOUT: meaning(
    'The peer did not finish its TLS handshake in time.',
    'Look for a very slow link, or for a peer that holds connections open on purpose.',
  ),
  E_WIRE_CONNECTIONS: meaning(
    'Too many connections are open, in total or from this address.',
    'Find out why this address opens so many, or raise the limit.',
  ),
  E_WIRE_BUSY: meaning(
    'More peers connected at once than could be served: this one waited for its turn in vain.',
    'It will come back by itself; if many are given up, make clients wait longer, at random.',
  ),
  E_WIRE_HELD_OFF: meaning(
    'So many handshakes of this network failed that it is turned away for a while.',
    'See the refusals of this address before: one broken client, or somebody who tries doors.',
  ),
  E_WIRE_MEMORY: meaning(
    'Memory is short: new connections are refused, and who is connected stays so.',
    'Give the machine more memory, or spread the devices over more servers.',
  ),
  E_WIRE_WEB_SOCKET: meaning(
    'The peer broke the rules of WebSockets, or of MQTT over them.',
    'Offer the subprotocol "mqtt" and send binary frames, as MQTT libraries do.',
  ),
  E_WIRE_REQUEST: meaning(
    'The peer sent bytes that are no HTTP request.',
    'Check the HTTP library; a scanner, or a header of more than 16 kB, looks like this too.',
  ),
  E_WIRE_PACKET: meaning(
    'The peer sent bytes that are no valid MQTT packet.',
    'Check the client library; a healthy one never does this.',
  ),
  E_WIRE_SIZE: meaning(
    'A packet is larger than the limit.',
    'Send smaller messages; the limit stands in the limits reference.',
  ),
  E_SESSION_NO_CERTIFICATE: meaning(
    'The client showed no certificate.',
    'Configure client.crt and client.key of the device bundle in the client.',
  ),
  E_SESSION_FOREIGN_CA: meaning(
    'The client certificate was not issued by this Holdfast.',
    'Enroll the device here; a certificate of another authority is never accepted.',
  ),
  E_SESSION_EXPIRED: meaning(
    'The client certificate has expired.',
    'The SDK renews it by itself, for a while even now; else: holdfast device claim <id>.',
  ),
  E_SESSION_NOT_YET_VALID: meaning(
    'The client certificate is not valid yet.',
    'Check the clock of this machine.',
  ),
  E_SESSION_PURPOSE: meaning(
    'The certificate is not meant for clients.',
    'Use the operational certificate of the device, client.crt.',
  ),
  E_SESSION_UNKNOWN_CERTIFICATE: meaning(
    'The certificate verifies, but the registry does not know it.',
    'Treat it as an incident: an issuing key may have been used outside this server.',
  ),
  E_SESSION_REVOKED: meaning(
    'The certificate or its device is revoked.',
    'If the device is to come back: holdfast device claim <id>, then enroll again.',
  ),
  E_SESSION_SUPERSEDED: meaning(
    'The device has enrolled or renewed since; this is its old certificate.',
    'Replace the files on the device, or look for a clone that still uses the old ones.',
  ),
  E_SESSION_STATE: meaning(
    'The state of the device does not allow it to connect.',
    'See its state and the reason: holdfast device show <id>.',
  ),
  E_SESSION_CLIENT_ID: meaning(
    'The MQTT client id is not the identity in the certificate.',
    'Set the client id to the device id (mosquitto_pub -i <id>).',
  ),
  E_SESSION_PROTOCOL: meaning(
    'The peer broke the order or the version rules of MQTT.',
    'Use MQTT 5 or 3.1.1 and a maintained client library.',
  ),
  E_SESSION_TIMEOUT: meaning(
    'The peer was silent for longer than it may be.',
    'Look for a dead link; a client must send CONNECT at once and keep its keep-alive.',
  ),
  E_SESSION_LIMIT: meaning(
    'A limit of the session is exceeded.',
    'See the detail for which one; the limits reference has the numbers.',
  ),
  E_SESSION_RATE: meaning(
    'The peer sends more than its class may, although it was slowed down.',
    'Look for a device in a loop, or give it a class with a higher rate.',
  ),
  E_SESSION_FLAPPING: meaning(
    'The device connects and disconnects all the time; it has to wait before the next time.',
    'Look for two devices with one identity, or for a device that restarts again and again.',
  ),
  E_SESSION_SLOW: meaning(
    'The peer does not read what is sent to it.',
    'Look for a stuck client; its connection was closed so that nobody else waits.',
  ),
  E_POLICY_INVALID: meaning(
    'The policy has a mistake and was not taken.',
    'Correct the lines that the detail names; the schema: holdfast policy show --schema.',
  ),
  E_POLICY_LOCKOUT: meaning(
    'The policy would lock everybody out and was not taken.',
    'Let an administrator keep policy:set, or set it on the machine of the server.',
  ),
  E_POLICY_TERM: meaning(
    'This is no principal, action or resource that the policy knows.',
    'Write person:<name>, role:<role>, device:<id>, class:<class>, server, topic:<id>/<part>.',
  ),
  E_SESSION_API_KEY: meaning(
    'The device has not shown the API key that it must, or has shown a wrong one.',
    'Make one and put it on the device: holdfast device api-key create <id>; or look for a thief.',
  ),
  E_AUTHORIZE_PUBLISH: meaning(
    'The peer may not publish on this topic.',
    'A device publishes only below d/<its id>/: check the topic, or look for a spoofing device.',
  ),
  E_AUTHORIZE_SUBSCRIBE: meaning(
    'The peer may not subscribe to this topic filter.',
    'A device subscribes only to d/<its id>/cmd/#, a service to d/#: check filter and class.',
  ),
  E_VERIFY_SIZE: meaning('The payload is larger than the limit.', 'Send smaller payloads.'),
  E_VERIFY_JSON: meaning(
    'The payload is no JSON object that can be verified.',
    'Send one JSON object in UTF-8, as json.dumps writes it.',
  ),
  E_VERIFY_DUPLICATE_KEY: meaning(
    'An object in the payload has the same key twice, or the message the same signature property.',
    'Send each one once: readers disagree on which one counts.',
  ),
  E_VERIFY_DEPTH: meaning('The payload is nested too deeply.', 'Flatten it.'),
  E_VERIFY_SIG_MISSING: meaning(
    'The message carries no "sig", neither in its payload nor as a user property.',
    'Sign it with the payload key of the device: see the README.',
  ),
  E_VERIFY_SIG_FORM: meaning(
    'The "sig" is not 64 lower-case hexadecimal digits.',
    'Use hexdigest() of HMAC-SHA256.',
  ),
  E_VERIFY_SIG: meaning(
    'The signature does not match: the payload was altered, or signed with another key.',
    'Check payload.key on the device; if it is right, treat the message as tampered.',
  ),
  E_VERIFY_KID: meaning(
    'The user property "kid" is missing, or is not the key id of the current payload key.',
    'Send "kid" as it stands in holdfast.json of the device bundle; enrolling again changes it.',
  ),
  E_VERIFY_COUNTER_MISSING: meaning(
    'The message carries no counter ("ctr", in signed JSON also "seq").',
    'Add "ctr", larger in each message; int(time.time() * 1000) will do.',
  ),
  E_VERIFY_COUNTER_FORM: meaning(
    'The counter is not an integer from 0 to 2^53 - 1.',
    'Send "ctr" as a plain integer: digits only, without leading zeros.',
  ),
  E_VERIFY_REPLAY: meaning(
    'This counter was accepted before, or is older than the replay window.',
    'A resend after a lost acknowledgement is harmless; otherwise look for a replayed message.',
  ),
  E_VERIFY_TIME_FORM: meaning(
    'The "ts" is no time.',
    'Send milliseconds since 1970; signed JSON may also hold seconds, or RFC 3339 text.',
  ),
  E_VERIFY_STALE: meaning(
    'The time in the message is too old.',
    'Check the clock of the device. What it keeps during outages: holdfast class set --late-hours.',
  ),
  E_VERIFY_FUTURE: meaning(
    'The time in the message lies in the future.',
    'Check the clocks of the device and of this machine.',
  ),
  E_VERIFY_COMMAND: meaning(
    'The command was signed under another name than that of its topic.',
    'Somebody on the way moved it to another topic: look for a compromised broker.',
  ),
  E_JOURNAL_UNAVAILABLE: meaning(
    'The journal cannot store messages.',
    'Look at the log of the server: a full or failing disk is the usual reason.',
  ),
  E_JOURNAL_DISK_FULL: meaning(
    'The disk is nearly full: no messages are taken.',
    'Free space on the disk of the data folder, or let classes keep less; it goes on by itself. ' +
      'See docs/guides/storage.md.',
  ),
  E_ROUTE_RETAINED: meaning(
    'The table of retained messages is full: the message was delivered, but not kept.',
    'Publish an empty retained message on topics that are no longer used, or raise the limit.',
  ),
  E_INGEST_INPUT: meaning(
    'A device sent a request over HTTPS that is none of ingest.',
    'See the detail, and docs/guides/https-ingest.md.',
  ),
  E_INGEST_SIZE: meaning(
    'A device sent more in one request over HTTPS than it may.',
    'Send smaller batches.',
  ),
  E_INGEST_BUSY: meaning(
    'A device sent more requests over HTTPS at a time than can be answered.',
    'It was told to come back; if it stays, look for a device in a loop.',
  ),
  E_ENROLL_CLAIM: meaning(
    'The claim is wrong or unknown.',
    'Make a new one: holdfast device claim <id>. Many of these mean that somebody is guessing.',
  ),
  E_ENROLL_CLAIM_EXPIRED: meaning(
    'The claim has expired.',
    'Make a new one: holdfast device claim <id>.',
  ),
  E_ENROLL_CLAIM_USED: meaning(
    'The claim was redeemed before, with another key.',
    'If that was not you, somebody else holds this claim: revoke the device and start again.',
  ),
  E_ENROLL_CSR: meaning(
    'The certificate request cannot be read, or its proof of possession fails.',
    'Make it with openssl req, in DER or PEM, base64 as in RFC 7030.',
  ),
  E_ENROLL_KEY: meaning(
    'The key of the certificate request is of a kind that is not accepted.',
    'Use an elliptic-curve key on P-256.',
  ),
  E_ENROLL_STATE: meaning(
    'The state of the device does not allow it to enroll.',
    'See its state and the reason: holdfast device show <id>.',
  ),
  E_ENROLL_RATE: meaning(
    'Too many wrong claims from this address or for this device, or renewals of it.',
    'Wait; if nobody of yours is enrolling, somebody is guessing, or a device is in a loop.',
  ),
  E_ENROLL_DELIVERED: meaning(
    'The payload key was delivered before, and is in use.',
    'If the device lost it: holdfast device claim <id>, then enroll again.',
  ),
  E_ENROLL_CLONE: meaning(
    'Somebody asks to renew a certificate that was renewed before: two have the key of one device.',
    'Look at the device; if it is the real one, holdfast device claim <id> and enroll it again.',
  ),
  E_ENROLL_GRACE: meaning(
    'The certificate ended longer ago than its class allows for a renewal.',
    'If the device was in a drawer: holdfast device claim <id>, and enroll it again; class set changes the grace.',
  ),
  E_ENROLL_IDEVID: meaning(
    'The certificate of the manufacturer is not one that may enroll a device here.',
    'See the detail; holdfast manufacturer add, then holdfast device allow-idevid <id>.',
  ),
  E_ENROLL_IDEVID_USED: meaning(
    'The certificate of the manufacturer has enrolled its device before.',
    'If the device is to enroll again: holdfast device allow-idevid <id>. Else look for a clone.',
  ),
  E_ENROLL_OCSP: meaning(
    'The OCSP request cannot be read.',
    'Send a request as openssl ocsp makes it; many of these look like a scanner.',
  ),
  E_ENROLL_REVOCATION_RATE: meaning(
    'Too many requests for revocation lists or OCSP from this network, or downloads at a time.',
    'Fetch the complete list once an hour, or publish a copy: docs/guides/revocation.md.',
  ),
  E_ENROLL_PAIR: meaning(
    'The pairing code is wrong, unknown or has expired.',
    'Make a new one: on the display of the device, or holdfast device pair-code <id>.',
  ),
  E_ENROLL_PAIR_USED: meaning(
    'The pairing code was used before, with another key.',
    'If the owner sees an app that is not theirs: holdfast device reset <id>, and pair again.',
  ),
  E_AUDIT_WITNESS_KEY: meaning(
    'This is no key of a witness.',
    'Take the line that holdfast audit witness prints at its start, or its file witness.pub.',
  ),
  E_AUDIT_COSIGNATURE: meaning(
    'The cosigned checkpoint is not valid.',
    'Check which key the witness has (witness.pub), and which one is known: holdfast witness list.',
  ),
  E_AUDIT_BEHIND_WITNESS: meaning(
    'A witness has seen a log that this one is not: it was set back, or rewritten.',
    'Keep the data folder as evidence, and compare it with backups: holdfast audit verify --against.',
  ),
  E_OPERATE_INPUT: meaning(
    'The request is not valid.',
    'Correct what the detail names; /openapi.json describes every request.',
  ),
  E_OPERATE_SIZE: meaning('The request is larger than the limit.', 'Send less in one request.'),
  E_OPERATE_UNAUTHENTICATED: meaning(
    'The request carries no valid credential.',
    'Sign in: holdfast login.',
  ),
  E_OPERATE_FORBIDDEN: meaning(
    'The credential is valid, but may not do this.',
    'See the detail; a token cannot make tokens, for example.',
  ),
  E_OPERATE_SECOND_PERSON: meaning(
    'The policy asks for a second person.',
    'Let somebody else approve it (holdfast approval list), then do the same again.',
  ),
  E_OPERATE_CROSS_SITE: meaning(
    'A page of another site, or a form, tried to act with the session of a browser.',
    'Send application/json from the own origin; if nobody of yours did this, look for the page.',
  ),
  E_OPERATE_SECOND_FACTOR: meaning(
    'The sign-in has shown no second factor: it is good for nothing but setting one up.',
    'Add a passkey or an authenticator app on the page /sign-in, or run holdfast login.',
  ),
  E_OPERATE_SIGN_IN: meaning(
    'Name, password or one-time code is wrong.',
    'Try again; many of these mean that somebody is guessing.',
  ),
  E_OPERATE_RATE: meaning('Too many attempts.', 'Wait a minute and try again.'),
  E_OPERATE_STEP_UP: meaning(
    'This needs your second factor again, shown within the last five minutes.',
    'Use your passkey or authenticator app on the page /sign-in, or run it on the server itself.',
  ),
  E_OPERATE_OIDC: meaning(
    'The sign-in at the OpenID provider did not succeed.',
    'Try again; the detail, on the audit log, says what the provider answered.',
  ),
  E_OPERATE_NOT_FOUND: meaning('There is no such thing.', 'Check the name: holdfast device list.'),
  E_OPERATE_METHOD: meaning(
    'The path exists, but not with this method.',
    'See the header Allow, or /openapi.json.',
  ),
  E_BUCKETS_RISK: meaning(
    'The bucket is not safe to use.',
    'Do what the detail says; or accept the risk on the record: holdfast bucket accept.',
  ),
  E_OPERATE_BACKUP: meaning(
    'The destination of the backups cannot be used.',
    'Do what the detail says; see holdfast backup status, and docs/guides/backup.md.',
  ),
  E_UPDATE_ARTIFACT: meaning(
    'An artifact of an update did not come as it was announced, or is not there.',
    'See the detail, and bring it again: holdfast fw release.',
  ),
  E_UPDATE_METADATA: meaning(
    'A file is no valid update metadata.',
    'See the detail; make it again with holdfast fw, and look who could change it on its way.',
  ),
  E_UPDATE_KEY: meaning(
    'A key of the update repository cannot be used.',
    'See the detail; holdfast fw key make makes keys that can.',
  ),
  E_UPDATE_REQUEST: meaning(
    'A signing request must not be signed, or is not open any more.',
    'See the detail. If you did not expect it, tell the other signers before anybody signs.',
  ),
  E_UPDATE_SIGNATURE: meaning(
    'A signature on update metadata is not accepted.',
    'Sign the newest request again: holdfast fw sign, with a key of the role.',
  ),
  E_OPERATE_CONFLICT: meaning(
    'It exists already, or its state does not allow this.',
    'See the detail.',
  ),
  E_UPDATE_NOT_ASSIGNED: meaning(
    'A device asked for a file that is not of the release that it is to run.',
    'After a change of its assignment this is normal; again and again, look who uses its key.',
  ),
  E_UPDATE_RATE: meaning(
    'A device asked for updates too often.',
    'Let it keep the poll time that it is told; see whether its updates fail again and again.',
  ),
  E_UPDATE_BUSY: meaning(
    'More devices download at once than the server serves.',
    'They come back by themselves. Make the stages of the rollout smaller, or the rate higher.',
  ),
  E_UPDATE_INPUT: meaning(
    'A report of an update client cannot be read.',
    'See the detail; compare the version of the client with docs/guides/firmware.md.',
  ),
  E_UPDATE_IDENTITY: meaning(
    'A hawkBit or Mender client spoke for another device, or tenant, than its certificate.',
    'Set its controller id to the device id and its tenant to "default"; or look who has its key.',
  ),
  E_UPDATE_TOKEN: meaning(
    'A Mender client showed a token that is not of its certificate.',
    'After a renewal it fetches another by itself; else look who copied the token.',
  ),
  E_UPDATE_TPM: meaning(
    'A device showed a TPM that cannot be bound to it.',
    'See the detail. After a repair: holdfast device tpm forget, then accept the new one.',
  ),
  E_UPDATE_BOOT: meaning(
    'A device has not proven that it booted what it is to run.',
    'See the detail: a TPM that does not fit, an old quote, or another image. Look at the device.',
  ),
  E_UPDATE_DELTA: meaning(
    'A delta does not make the image that it is for, or wants more memory than it may.',
    'Make it again (holdfast fw release --delta-from), or send the whole image.',
  ),
  E_UPDATE_DETACHED: meaning(
    'A detached signature does not fit the artifact and the key.',
    'Compare the SHA-256 of the artifact, and see which release key the device trusts.',
  ),
  E_UPDATE_SUIT: meaning(
    'A SUIT envelope is malformed, or its signature does not hold.',
    'Make it again: holdfast fw release --suit.',
  ),
  E_UPDATE_MCUBOOT: meaning(
    'An MCUboot image is malformed, or its hash or signature does not hold.',
    'Build it with room for the header, and sign it: holdfast fw release --mcuboot.',
  ),
  E_UPDATE_FIT: meaning(
    'A FIT image, a part of it or a key for it cannot be used.',
    'See the detail; docs/guides/firmware.md tells what U-Boot needs.',
  ),
  E_UPDATE_SBOM: meaning(
    'A software bill of materials is not one that can be read.',
    'Give CycloneDX 1.4 to 1.6 as JSON.',
  ),
  E_UPDATE_ADVISORIES: meaning(
    'A file of known vulnerabilities is not one that can be read.',
    'Give OSV records: a JSON file, a file with one record a line, or the zip of an ecosystem.',
  ),
} as const satisfies Record<string, RefusalMeaning>;

/** A stable refusal code. */
export type RefusalCode = keyof typeof REFUSAL_CODES;
