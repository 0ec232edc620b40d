/**
 * All acts and events in plain words: what somebody did, as behind their name, and what the server
 * noticed. It records no others. They stay here for good, as they stay on the log.
 * @module
 */

const OF_DEVICES = {
  'device.act-many': 'Acted on many devices',
  'device.activate': 'Connected for the first time',
  'device.add': 'Added a device',
  'device.add-tags': 'Added tags to a device',
  'device.allow-idevid': 'Let a device enroll by its IDevID',
  'device.api-key': 'Made an API key for a device',
  'device.api-key-remove': 'Removed an API key of a device',
  'device.claim': 'Made a new claim for a device',
  'device.enroll': 'Enrolled',
  'device.erase': 'Erased what a device had sent',
  'device.give-away': 'Gave a device away',
  'device.pair': 'Took a device over with an app',
  'device.pair-code': 'Made a pairing code for a device',
  'device.payload-keys': 'Fetched its payload keys',
  'device.quarantine': 'Quarantined a device',
  'device.release': 'Released a device from quarantine',
  'device.remove-tags': 'Removed tags of a device',
  'device.renew': 'Renewed its certificate',
  'device.reset': 'Reset a device for a new owner',
  'device.resume': 'Resumed a device',
  'device.retire': 'Retired a device',
  'device.revoke': 'Revoked a device',
  'device.set-group': 'Put a device into another group',
  'device.set-hardware': 'Noted the hardware of a device',
  'device.set-tags': 'Changed the tags of a device',
  'device.suspend': 'Suspended a device',
  'device.tpm-accept': 'Vouched for the TPM of a device',
  'device.tpm-forget': 'Forgot the TPM of a device',
  'device.use-certificate': 'Used its new certificate for the first time',
  'class.set': 'Changed the rules of a device class',
  'manufacturer.add': 'Added a manufacturer of devices',
  'manufacturer.remove': 'Removed a manufacturer of devices',
} as const satisfies Words;

const OF_PEOPLE = {
  'app.invite': 'Made a pairing code for one more app',
  'app.pair': 'Paired an app with a device',
  'app.remove': 'Removed an app',
  'app.renew': 'Renewed the certificate of an app',
  'approval.approve': 'Approved what somebody else asked for',
  'approval.ask': 'Asked a second person to approve',
  'approval.refuse': 'Refused what somebody else asked for',
  'oidc.remove': 'Removed the identity provider',
  'oidc.set': 'Set the identity provider',
  'person.add-passkey': 'Added a passkey',
  'person.add-totp': 'Set up an authenticator app',
  'person.disable': 'Disabled a person',
  'person.enable': 'Enabled a person again',
  'person.first-sign-in': 'Became the first operator',
  'person.invite': 'Invited a person',
  'person.recovery-codes': 'Made recovery codes',
  'person.redeem-invitation': 'Came in by an invitation',
  'person.remove': 'Removed a person',
  'person.remove-passkey': 'Removed a passkey',
  'person.remove-totp': 'Removed an authenticator app',
  'person.reset-factors': 'Reset how a person signs in',
  'person.role': 'Changed the role of a person',
  'person.set-password': 'Set a password',
  'person.sign-in': 'Signed in',
  'person.sign-out': 'Signed out',
  'person.step-up': 'Showed a second factor again',
  'policy.set': 'Changed the policy',
  'session.end': 'Ended a session',
  'token.create': 'Made an API token',
  'token.remove': 'Removed an API token',
} as const satisfies Words;

const OF_UPDATES = {
  'rollout.abort': 'Ended a rollout for good',
  'rollout.consent': 'Agreed to an update',
  'rollout.draft': 'Planned a rollout',
  'rollout.finish': 'Finished a rollout',
  'rollout.forward': 'Went on from a rollout to a newer release',
  'rollout.open-stage': 'Opened the next stage of a rollout',
  'rollout.pause': 'Paused a rollout',
  'rollout.resume': 'Resumed a rollout',
  'rollout.start': 'Started a rollout',
  'update.artifact': 'Uploaded an artifact',
  'update.assign': 'Assigned a release to a device',
  'update.import-advisories': 'Imported advisories of vulnerabilities',
  'update.make-online-keys': 'Made the online keys of updates',
  'update.publish': 'Published metadata of updates',
  'update.remove-artifact': 'Removed an artifact',
  'update.remove-strays': 'Removed chunks of artifacts that belonged to nothing',
  'update.request': 'Asked for signatures of a release',
  'update.sign': 'Signed a release',
  'update.withdraw-request': 'Withdrew a request for signatures',
} as const satisfies Words;

const OF_THE_SERVER = {
  'audit.prove': 'Gave out evidence of a reading',
  'audit.verify': 'Verified the audit log',
  'backup.begin': 'Began a backup',
  'backup.drill': 'Tried whether a backup can be restored',
  'backup.fail': 'Could not make a backup',
  'backup.artifacts': 'Decided whether backups hold the artifacts of updates',
  'backup.forget': 'Forgot a place of backups',
  'backup.keys-replaced': 'Found the keys beside the backups replaced',
  'backup.make': 'Made a backup',
  'backup.prune': 'Removed old backups',
  'backup.schedule': 'Scheduled backups',
  'backup.unschedule': 'Ended the schedule of backups',
  'bucket.accept': 'Accepted the risk of a bucket',
  'bucket.check': 'Checked a bucket',
  'ca.finish': 'Ended the trust in the former authority',
  'ca.prepare': 'Prepared the next generation of the authority',
  'ca.request': 'Asked for certificates of the next authority',
  'ca.root-export': 'Exported the key of the root',
  'ca.root-forget': 'Forgot the key of the root',
  'ca.switch': 'Let the next generation of the authority issue',
  'export.begin': 'Began an export',
  'export.end': 'Ended an export',
  'keys.change-custody': 'Changed who keeps the keys',
  'keys.destroy': 'Destroyed keys of erased data',
  'keys.escrow': 'Made recovery shares',
  'keys.recover': 'Recovered the keys from shares',
  'keys.renew': 'Renewed data keys',
  'keys.retire': 'Retired the former key-encryption key',
  'keys.rotate': 'Made a new key-encryption key',
  'log.expire': 'Let old messages expire',
  'server.accept-rollback': 'Accepted an older copy of the data',
  'server.acme-account': 'Made an account at a certificate authority',
  'server.public-certificate': 'Asked for a certificate of the public name',
  'server.renew-certificate': 'Renewed the certificate of the server',
  'server.restore': 'Restored the server from a backup',
  'server.rotate-key': 'Rotated the key of the server',
  'server.start': 'Started the server',
  'server.stop': 'Stopped the server',
  'witness.add': 'Added a witness of the log',
  'witness.remove': 'Removed a witness of the log',
} as const satisfies Words;

type Words = Readonly<Record<string, string>>;

/** What each act is in plain words. */
export const ACT_WORDS = { ...OF_DEVICES, ...OF_PEOPLE, ...OF_UPDATES, ...OF_THE_SERVER } as const;

/** An act, `noun.verb`, as it stands on the log. */
export type ActName = keyof typeof ACT_WORDS;

/** What each event is in plain words; events stand among the acts. */
export const EVENT_WORDS = {
  'boot.proven': 'Saw a device prove what it runs',
  'boot.tpm-bound': 'Saw the TPM of a device for the first time',
  'boot.unproven': 'Has no proof any more of what a device runs',
  'bucket.judged': 'Judged a bucket',
  'clock.jump': 'Saw the clock of the machine jump',
  'device.hardware-differs': 'Heard of other hardware than was noted',
  'disk.failing': 'Cannot write to the disk',
  'disk.full': 'Ran out of space on the disk',
  'disk.good': 'Can write to the disk as before',
  'disk.slow': 'Slows down, as the disk does not keep up',
  'log.behind-witness': 'Found the log behind what a witness has seen',
  'registry.mark': 'Noted how often the registry was changed',
  'server.unclean-stop': 'Found that the last run ended without a clean stop',
  'update.artifact-damaged': 'Found an artifact damaged',
  'update.metadata-ending': 'Found that metadata of updates end soon',
} as const satisfies Words;

/** An event, as it stands on the log. */
export type EventName = keyof typeof EVENT_WORDS;

export function isActName(value: unknown): value is ActName {
  return typeof value === 'string' && Object.hasOwn(ACT_WORDS, value);
}

function isEventName(value: string): value is EventName {
  return Object.hasOwn(EVENT_WORDS, value);
}

/**
 * An act or event in plain words. One of a newer server is called as on the log, with spaces.
 * @param action - such as `device.revoke`.
 */
export function actWords(action: string): string {
  if (isActName(action)) return ACT_WORDS[action];
  return isEventName(action) ? EVENT_WORDS[action] : action.replaceAll(/[.-]/gu, ' ');
}
