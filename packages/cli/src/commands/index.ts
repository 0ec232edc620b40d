/**
 * All commands, in the order in which help shows them. To add one, add a line here:
 *
 *     entry('noun verb <id>', 'its summary', () =>
 *       import('./noun-verb.ts').then((its) => its.nounVerb),
 *     ),
 *
 * The usage and the summary are those of the command; they stand here too, so that help and shell
 * completion need not load every module, and `command-table.test.ts` holds them
 * against each other. Its noun, if it is a new one, gets a line in `nouns.ts`.
 * @module
 */
import { type CommandGroup, entry } from '../command-entry.ts';

export const COMMAND_GROUPS: readonly CommandGroup[] = [
  {
    title: 'Server',
    commands: [
      entry('up', 'start the server', () => import('./up.ts').then((its) => its.up)),
      entry('status', 'show whether everything is well, and what is not', () =>
        import('./status.ts').then((its) => its.status),
      ),
      entry(
        'doctor',
        'check the installation: files, disk, clock, ports, TLS; and how to mend it',
        () => import('./doctor.ts').then((its) => its.doctor),
      ),
      entry('login', 'sign in, and keep an API token on this machine', () =>
        import('./login.ts').then((its) => its.login),
      ),
      entry('pin', 'print the pins of the server, for clients without our SDK', () =>
        import('./pin.ts').then((its) => its.pin),
      ),
      entry(
        'server rotate-key',
        'let the server show its next key, the one of the backup pin',
        () => import('./server-rotate-key.ts').then((its) => its.serverRotateKey),
      ),
      entry('simulate', 'run a simulated fleet against the server, to see it at work', () =>
        import('./simulate.ts').then((its) => its.simulate),
      ),
      entry('simulate remove', 'take all simulated devices away, with what they have sent', () =>
        import('./simulate-remove.ts').then((its) => its.simulateRemove),
      ),
    ],
  },
  {
    title: 'Devices',
    commands: [
      entry('device add <id>', 'register a device and print its claim', () =>
        import('./device-claim.ts').then((its) => its.deviceAdd),
      ),
      entry(
        'device import <file>',
        'register the devices of a CSV file, and write a claim for each',
        () => import('./device-import.ts').then((its) => its.deviceImport),
      ),
      entry('device enroll', 'on the device: turn a claim into its keys and certificate', () =>
        import('./device-enroll.ts').then((its) => its.deviceEnroll),
      ),
      entry('device renew <bundle>', 'on the device: renew its certificate, with a new key', () =>
        import('./device-renew.ts').then((its) => its.deviceRenew),
      ),
      entry('device list', 'list devices and their states', () =>
        import('./device-list.ts').then((its) => its.deviceList),
      ),
      entry('device show <id>', 'show a device, its state and its certificates', () =>
        import('./device-list.ts').then((its) => its.deviceShow),
      ),
      entry(
        'device updates <id>',
        'show what became of the updates of a device, step by step',
        () => import('./device-updates.ts').then((its) => its.deviceUpdates),
      ),
      entry('device command <id> <name> <json>', 'send a command to a device, signed', () =>
        import('./device-command.ts').then((its) => its.deviceCommand),
      ),
      entry('device claim <id>', 'print a new claim for a device, to enroll it again', () =>
        import('./device-claim.ts').then((its) => its.deviceClaim),
      ),
      entry('device pair-code <id>', "print the code that pairs an owner's app with a device", () =>
        import('./device-pairing.ts').then((its) => its.devicePairCode),
      ),
      entry(
        'device reset <id>',
        "end the rights of a device's owner, and erase what it has sent",
        () => import('./device-pairing.ts').then((its) => its.deviceReset),
      ),
      entry('device erase <id>', 'erase all that a device has sent, in backups too', () =>
        import('./device-erase.ts').then((its) => its.deviceErase),
      ),
      entry(
        'device tpm show <id>',
        'show the TPM of a device, and whether it has proven its boot',
        () => import('./device-tpm.ts').then((its) => its.deviceTpmShow),
      ),
      entry('device tpm accept <id> <ek-sha256>', 'vouch for the TPM that a device has shown', () =>
        import('./device-tpm.ts').then((its) => its.deviceTpmAccept),
      ),
      entry('device tpm forget <id>', 'let another TPM be bound to a device, after a repair', () =>
        import('./device-tpm.ts').then((its) => its.deviceTpmForget),
      ),
      entry('device set-group [id]', 'put a device into a group, or into none', () =>
        import('./device-set-group.ts').then((its) => its.deviceSetGroup),
      ),
      entry('device set-tags [id]', 'give a device the tags by which you find it again', () =>
        import('./device-set-tags.ts').then((its) => its.deviceSetTags),
      ),
      entry(
        'device set-hardware <id>',
        'say which kind of hardware a device is, as releases name it',
        () => import('./device-set-hardware.ts').then((its) => its.deviceSetHardware),
      ),
      entry('device quarantine [id]', 'keep a device out until somebody has looked at it', () =>
        import('./device-acts.ts').then((its) => its.deviceQuarantine),
      ),
      entry(
        'device release [id]',
        'let a device out of quarantine, once you have looked at it',
        () => import('./device-acts.ts').then((its) => its.deviceRelease),
      ),
      entry('device suspend [id]', 'keep a device out for a while', () =>
        import('./device-acts.ts').then((its) => its.deviceSuspend),
      ),
      entry('device resume [id]', 'end the suspension of a device', () =>
        import('./device-acts.ts').then((its) => its.deviceResume),
      ),
      entry('device revoke [id]', 'end the access of a device at once', () =>
        import('./device-acts.ts').then((its) => its.deviceRevoke),
      ),
      entry('device retire [id]', 'end the access of a device for good', () =>
        import('./device-acts.ts').then((its) => its.deviceRetire),
      ),
      entry('device api-key create <id>', 'make an API key for a device, its second factor', () =>
        import('./device-api-key.ts').then((its) => its.deviceApiKeyCreate),
      ),
      entry('device api-key list <id>', 'list the API keys of a device that work now', () =>
        import('./device-api-key.ts').then((its) => its.deviceApiKeyList),
      ),
      entry('device api-key remove <id> <key>', 'end an API key of a device at once', () =>
        import('./device-api-key.ts').then((its) => its.deviceApiKeyRemove),
      ),
      entry(
        'device allow-idevid <id>',
        'let a device enroll by the certificate of its manufacturer, once',
        () => import('./manufacturer.ts').then((its) => its.deviceAllowIdevid),
      ),
      entry(
        'manufacturer add <name>',
        'register a manufacturer whose certificates enroll devices',
        () => import('./manufacturer.ts').then((its) => its.manufacturerAdd),
      ),
      entry('manufacturer list', 'list the manufacturers whose certificates enroll devices', () =>
        import('./manufacturer.ts').then((its) => its.manufacturerList),
      ),
      entry('manufacturer remove <name>', 'let a manufacturer enroll no device any more', () =>
        import('./manufacturer.ts').then((its) => its.manufacturerRemove),
      ),
      entry('class show <class>', 'show what a class asks of its devices', () =>
        import('./class.ts').then((its) => its.classShow),
      ),
      entry('class set <class>', 'set what a class asks of its devices', () =>
        import('./class.ts').then((its) => its.classSet),
      ),
    ],
  },
  {
    title: 'What happens',
    commands: [
      entry('readings <id>', 'show what a device sent: verified messages only', () =>
        import('./readings.ts').then((its) => its.readings),
      ),
      entry('series list <id>', 'list the series of numbers that a device reports', () =>
        import('./series-list.ts').then((its) => its.seriesList),
      ),
      entry('series latest', 'show the last values of all devices, or of a class or a group', () =>
        import('./series-list.ts').then((its) => its.seriesLatest),
      ),
      entry('refusals', 'show what was refused, why, and what to do about it', () =>
        import('./refusals.ts').then((its) => its.refusals),
      ),
    ],
  },
  {
    title: 'Firmware and rollouts',
    commands: [
      entry(
        'fw status',
        'show who signs updates, what waits for signatures, and when it all ends',
        () => import('./fw-status.ts').then((its) => its.fwStatus),
      ),
      entry(
        'fw release <file>',
        'bring an artifact, and make what the keys of its product line sign',
        () => import('./fw-release.ts').then((its) => its.fwRelease),
      ),
      entry('fw measurements <file>', 'print what a boot has measured into the PCRs of a TPM', () =>
        import('./fw-measurements.ts').then((its) => its.fwMeasurements),
      ),
      entry(
        'fw upload <file>',
        'bring the file of a release again, when it is missing or damaged',
        () => import('./fw-line.ts').then((its) => its.fwUpload),
      ),
      entry('fw list', 'list the releases, and how many devices are to run each', () =>
        import('./fw-status.ts').then((its) => its.fwList),
      ),
      entry(
        'fw show <release-or-device>',
        'show a release, or how the update of a device stands',
        () => import('./fw-status.ts').then((its) => its.fwShow),
      ),
      entry('fw assign <device> <release>', 'say which release a device is to run', () =>
        import('./fw-status.ts').then((its) => its.fwAssign),
      ),
      entry(
        'fw retire <release...>',
        'take releases of a product line back, so that no device is told of them',
        () => import('./fw-line.ts').then((its) => its.fwRetire),
      ),
      entry(
        'fw artifact list',
        'list the stored artifacts, what needs each of them, and what could go',
        () => import('./fw-artifact.ts').then((its) => its.fwArtifactList),
      ),
      entry('fw artifact remove [artifact...]', 'remove stored artifacts that nothing needs', () =>
        import('./fw-artifact.ts').then((its) => its.fwArtifactRemove),
      ),
      entry(
        'fw vulnerabilities list',
        'list the known vulnerabilities of releases, and how many devices run them',
        () => import('./fw-vulnerabilities.ts').then((its) => its.fwVulnerabilities),
      ),
      entry(
        'fw vulnerabilities import <files>',
        'bring what is known of vulnerabilities: OSV records, which need no network here',
        () => import('./fw-vulnerabilities.ts').then((its) => its.fwVulnerabilitiesImport),
      ),
      entry(
        'rollout start <line@version>',
        'bring a release to devices, in stages that stop by themselves',
        () => import('./rollout-start.ts').then((its) => its.rolloutStart),
      ),
      entry('rollout list', 'list the rollouts, and how far they are', () =>
        import('./rollout.ts').then((its) => its.rolloutList),
      ),
      entry('rollout show <id>', 'show a rollout: its stages, and why devices failed', () =>
        import('./rollout.ts').then((its) => its.rolloutShow),
      ),
      entry('rollout pause <id>', 'stop a rollout for a while', () =>
        import('./rollout.ts').then((its) => its.rolloutPause),
      ),
      entry('rollout resume <id>', 'let a paused rollout go on', () =>
        import('./rollout.ts').then((its) => its.rolloutResume),
      ),
      entry('rollout abort <id>', 'end a rollout for good', () =>
        import('./rollout.ts').then((its) => its.rolloutAbort),
      ),
      entry(
        'rollout forward <id> <line@version>',
        'let a newer release take over the devices of a paused rollout',
        () => import('./rollout.ts').then((its) => its.rolloutForward),
      ),
    ],
  },
  {
    title: 'Keys of firmware',
    commands: [
      entry('fw key make <file>', 'make your key for signing firmware; needs no server', () =>
        import('./fw-key.ts').then((its) => its.fwKeyMake),
      ),
      entry(
        'fw key show <file>',
        'show the name and id of a key; needs neither server nor passphrase',
        () => import('./fw-key.ts').then((its) => its.fwKeyShow),
      ),
      entry('fw key list', 'list who signs which role, and when each ends', () =>
        import('./fw-key.ts').then((its) => its.fwKeyList),
      ),
      entry(
        'fw boot-key make <file>',
        'make the key that signs FIT images for U-Boot; needs no server',
        () => import('./fw-boot-key.ts').then((its) => its.fwBootKeyMake),
      ),
      entry('fw init', 'begin with firmware updates: say who signs what', () =>
        import('./fw-init.ts').then((its) => its.fwInit),
      ),
      entry(
        'fw sign <request>',
        'see what a signing request changes, and sign it; needs no server',
        () => import('./fw-sign.ts').then((its) => its.fwSign),
      ),
      entry(
        'fw submit <file...>',
        'hand signatures to the server, which publishes when there are enough',
        () => import('./fw-submit.ts').then((its) => its.fwSubmit),
      ),
      entry('fw requests [id]', 'list what waits for signatures, and who has signed', () =>
        import('./fw-submit.ts').then((its) => its.fwRequests),
      ),
      entry('fw key rotate [who]', 'put a new key in the place of one, wherever it signs', () =>
        import('./fw-key-change.ts').then((its) => its.fwKeyRotate),
      ),
      entry('fw key revoke <who>', 'let a key sign nothing any more', () =>
        import('./fw-key-change.ts').then((its) => its.fwKeyRevoke),
      ),
      entry(
        'fw line set <name=files:n>',
        'add a product line, or say anew who signs its releases',
        () => import('./fw-key-change.ts').then((its) => its.fwLineSet),
      ),
      entry(
        'fw line end <name>',
        'end a product line: none of its releases installs any more',
        () => import('./fw-key-change.ts').then((its) => its.fwLineEnd),
      ),
      entry('fw renew', 'let roots, targets and product lines live on, with the same keys', () =>
        import('./fw-init.ts').then((its) => its.fwRenew),
      ),
    ],
  },
  {
    title: 'People',
    commands: [
      entry('person add <name>', 'invite a person; prints a link and a code for them', () =>
        import('./person.ts').then((its) => its.personAdd),
      ),
      entry('person list', 'list the people, their roles and what they sign in with', () =>
        import('./person.ts').then((its) => its.personList),
      ),
      entry('person role <name> <role>', 'change the role of a person, at once', () =>
        import('./person.ts').then((its) => its.personRole),
      ),
      entry('person disable <name>', 'shut a person out at once, without forgetting them', () =>
        import('./person.ts').then((its) => its.personDisable),
      ),
      entry('person enable <name>', 'let a disabled person in again', () =>
        import('./person.ts').then((its) => its.personEnable),
      ),
      entry('person remove <name>', 'remove a person, with sessions and API tokens', () =>
        import('./person.ts').then((its) => its.personRemove),
      ),
      entry(
        'person reset-factors <name>',
        'take away all that a person signs in with, and invite them again',
        () => import('./person.ts').then((its) => its.personResetFactors),
      ),
      entry('session list', 'list where you are signed in, or everybody is', () =>
        import('./session.ts').then((its) => its.sessionList),
      ),
      entry('session end <id>', 'end a session at once', () =>
        import('./session.ts').then((its) => its.sessionEnd),
      ),
      entry('oidc set <issuer>', 'let people sign in at an OpenID provider', () =>
        import('./oidc.ts').then((its) => its.oidcSet),
      ),
      entry('oidc show', 'show the OpenID provider, and what to enter there', () =>
        import('./oidc.ts').then((its) => its.oidcShow),
      ),
      entry('oidc remove', 'let nobody sign in at the OpenID provider any more', () =>
        import('./oidc.ts').then((its) => its.oidcRemove),
      ),
    ],
  },
  {
    title: 'Who may do what',
    commands: [
      entry('policy show', 'print who may do what: the policy in force, in Cedar', () =>
        import('./policy.ts').then((its) => its.policyShow),
      ),
      entry('policy set <file>', 'put a policy in force, for live connections too', () =>
        import('./policy.ts').then((its) => its.policySet),
      ),
      entry('policy history', 'list the versions of the policy, newest first', () =>
        import('./policy.ts').then((its) => its.policyHistory),
      ),
      entry(
        'policy rollback <version>',
        'put an earlier version of the policy in force again',
        () => import('./policy.ts').then((its) => its.policyRollback),
      ),
      entry(
        'policy diff <file>',
        'try a policy on the last decisions, and list what would change',
        () => import('./policy-try.ts').then((its) => its.policyDiff),
      ),
      entry('policy test <file>', 'check that a policy decides as a file expects', () =>
        import('./policy-try.ts').then((its) => its.policyTest),
      ),
      entry(
        'policy explain <principal> <action> <resource>',
        'tell whether somebody may do something, and which rules say so',
        () => import('./policy-try.ts').then((its) => its.policyExplain),
      ),
      entry('approval list', 'list what waits for a second person', () =>
        import('./approval.ts').then((its) => its.approvalList),
      ),
      entry('approval approve <id>', 'approve a request of another person', () =>
        import('./approval.ts').then((its) => its.approvalApprove),
      ),
      entry('approval refuse <id>', 'refuse a request of another person', () =>
        import('./approval.ts').then((its) => its.approvalRefuse),
      ),
    ],
  },
  {
    title: 'Audit',
    commands: [
      entry(
        'audit verify',
        'check a data folder, a copy of one, or a running server for any change',
        () => import('./audit-verify.ts').then((its) => its.auditVerify),
      ),
      entry(
        'audit prove <device>',
        'write the evidence of a reading, for somebody who has never seen the server',
        () => import('./audit-prove.ts').then((its) => its.auditProve),
      ),
      entry('audit check <file>', 'check the evidence of a reading; needs no server', () =>
        import('./audit-check.ts').then((its) => its.auditCheck),
      ),
      entry('audit acts', 'show who did what, and why', () =>
        import('./audit.ts').then((its) => its.auditActs),
      ),
      entry('audit checkpoint', 'print the newest signed checkpoint of the audit log', () =>
        import('./audit.ts').then((its) => its.auditCheckpoint),
      ),
      entry(
        'audit witness',
        'watch from outside that the log of a server only grows, and cosign it',
        () => import('./audit-witness.ts').then((its) => its.auditWitness),
      ),
      entry('witness add <key>', 'let the cosignatures of a witness count', () =>
        import('./witness.ts').then((its) => its.witnessAdd),
      ),
      entry('witness list', 'list the witnesses of the log, and what each has cosigned last', () =>
        import('./witness.ts').then((its) => its.witnessList),
      ),
      entry('witness remove <name-or-id>', 'trust a witness no more', () =>
        import('./witness.ts').then((its) => its.witnessRemove),
      ),
    ],
  },
  {
    title: 'Backups and exports',
    commands: [
      entry('backup make', 'make a sealed backup of the running server', () =>
        import('./backup.ts').then((its) => its.backupMake),
      ),
      entry('backup status', 'show where backups are, how old, and what waits', () =>
        import('./backup.ts').then((its) => its.backupStatus),
      ),
      entry('backup list', 'list the backups of a place', () =>
        import('./backup.ts').then((its) => its.backupList),
      ),
      entry('backup drill', 'try a restore: all of it, into a folder that is removed again', () =>
        import('./restore.ts').then((its) => its.backupDrill),
      ),
      entry('backup schedule', 'let the server make backups by itself, or not any more', () =>
        import('./backup-manage.ts').then((its) => its.backupSchedule),
      ),
      entry('backup prune', 'remove all backups of a place but the newest', () =>
        import('./backup-manage.ts').then((its) => its.backupPrune),
      ),
      entry('backup artifacts', 'leave artifacts out of backups, or copy them again', () =>
        import('./backup-artifacts.ts').then((its) => its.backupArtifacts),
      ),
      entry('backup forget <place>', 'forget a place of backups that is gone for good', () =>
        import('./backup-manage.ts').then((its) => its.backupForget),
      ),
      entry('bucket check <bucket>', 'look whether a bucket of S3 is safe to use', () =>
        import('./bucket-check.ts').then((its) => its.bucketCheck),
      ),
      entry('bucket list', 'show the buckets that are in use, as they were found last', () =>
        import('./bucket-check.ts').then((its) => its.bucketList),
      ),
      entry(
        'bucket accept <bucket> <check>',
        'accept a risk that was found at a bucket, on the record, for some days',
        () => import('./bucket-check.ts').then((its) => its.bucketAccept),
      ),
      entry('bucket policy <bucket>', 'print the least-privilege policies for a bucket of S3', () =>
        import('./bucket-policy.ts').then((its) => its.bucketPolicy),
      ),
      entry('restore', 'make a data folder out of a backup, and verify it', () =>
        import('./restore.ts').then((its) => its.restore),
      ),
      entry('export readings', 'write readings to a file', () =>
        import('./export.ts').then((its) => its.exportReadings),
      ),
      entry('export acts', 'write who did what to a file', () =>
        import('./export.ts').then((its) => its.exportActs),
      ),
      entry('export devices', 'write the devices to a file', () =>
        import('./export.ts').then((its) => its.exportDevices),
      ),
    ],
  },
  {
    title: 'Keys and certificates',
    commands: [
      entry('keys status', 'show who keeps the keys, their versions, ages and numbers', () =>
        import('./keys-status.ts').then((its) => its.keysStatus),
      ),
      entry('keys rotate', 'make a new key-encryption key, and end the one before', () =>
        import('./keys-rotate.ts').then((its) => its.keysRotate),
      ),
      entry('keys custody', 'say who keeps the key that opens the data folder', () =>
        import('./keys-custody.ts').then((its) => its.keysCustody),
      ),
      entry(
        'keys set-custody <kind>',
        'let somebody else keep the key that opens the data folder',
        () => import('./keys-custody.ts').then((its) => its.keysSetCustody),
      ),
      entry(
        'keys escrow',
        'make recovery shares, for the day on which the unseal key is lost',
        () => import('./keys-escrow.ts').then((its) => its.keysEscrow),
      ),
      entry('keys recover', 'open a data folder by its recovery shares', () =>
        import('./keys-escrow.ts').then((its) => its.keysRecover),
      ),
      entry('ca status', 'show the certificate authority, and what comes next', () =>
        import('./ca-status.ts').then((its) => its.caStatus),
      ),
      entry('ca rotate', 'replace the issuing authorities, a step at a time', () =>
        import('./ca-rotate.ts').then((its) => its.caRotate),
      ),
      entry(
        'ca export-root',
        'take the key of the root off the server, into an encrypted file',
        () => import('./ca-export-root.ts').then((its) => its.caExportRoot),
      ),
      entry('ca crl', 'write the list of revoked certificates, for others to publish', () =>
        import('./ca-crl.ts').then((its) => its.caCrl),
      ),
    ],
  },
  {
    title: 'This command line',
    commands: [
      entry(
        'completion <shell>',
        'print the script by which bash, zsh or fish completes holdfast',
        () => import('./completion.ts').then((its) => its.completion),
      ),
    ],
  },
];
