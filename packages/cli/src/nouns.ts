/** What the nouns of the command line stand for, and an example of each. @module */

/** What help says of a noun. */
export interface NounText {
  /** What its commands are for, one line without a period. */
  readonly summary: string;
  /** Command lines after `holdfast`, the most wanted first. */
  readonly examples: readonly string[];
}

/** By noun; `run.test.ts` checks that none is missing. */
export const NOUNS: Readonly<Partial<Record<string, NounText>>> = {
  server: {
    summary: 'the key that the server shows',
    examples: ['server rotate-key'],
  },
  simulate: {
    summary: 'a simulated fleet, to see the server at work',
    examples: ['simulate --devices 200 --class thermostat --misbehave 4', 'simulate remove'],
  },
  device: {
    summary: 'register devices, look at them, command them, shut them out',
    examples: [
      'device add thermostat-1 --class sensor',
      'device list --state quarantined',
      'device revoke thermostat-1 --reason "a leak"',
    ],
  },
  'device tpm': {
    summary: 'the TPM of a device, which proves what it has booted',
    examples: ['device tpm show gateway-1'],
  },
  'device api-key': {
    summary: 'API keys: the second factor of a device',
    examples: ['device api-key create thermostat-1', 'device api-key list thermostat-1'],
  },
  manufacturer: {
    summary: 'manufacturers, whose certificates enroll devices',
    examples: ['manufacturer list'],
  },
  class: {
    summary: 'what the classes of devices ask of them',
    examples: ['class show sensor'],
  },
  series: {
    summary: 'the numbers that devices report, as series over time',
    examples: ['series list thermostat-1', 'series latest --group floor-2'],
  },
  fw: {
    summary: 'firmware: releases, who signs them, which device runs what',
    examples: ['fw status', 'fw list', 'fw show thermostat-1'],
  },
  'fw key': {
    summary: 'the keys that sign firmware, and what they may sign',
    examples: ['fw key list', 'fw key make alice.key'],
  },
  'fw boot-key': {
    summary: 'the keys that sign images for boot loaders',
    examples: ['fw boot-key make boot.key'],
  },
  'fw line': {
    summary: 'product lines: which releases belong together, and who signs them',
    examples: ['fw line set pump=rel1.pub.json,rel3.pub.json:2'],
  },
  'fw artifact': {
    summary: 'the stored files of releases, and the removal of what nothing needs',
    examples: ['fw artifact list', 'fw artifact remove --unneeded --dry-run'],
  },
  'fw vulnerabilities': {
    summary: 'known vulnerabilities in what devices run',
    examples: ['fw vulnerabilities list', 'fw vulnerabilities import npm.zip'],
  },
  rollout: {
    summary: 'bring a release to devices in stages, and stop it',
    examples: ['rollout list', 'rollout show 5be1c0de --follow'],
  },
  person: {
    summary: 'people: invite them, change their roles, shut them out',
    examples: ['person add grace --role operator', 'person list'],
  },
  session: {
    summary: 'where people are signed in',
    examples: ['session list'],
  },
  oidc: {
    summary: 'sign in at an OpenID provider',
    examples: ['oidc show'],
  },
  policy: {
    summary: 'the rules of who may do what, in Cedar',
    examples: ['policy show', 'policy explain person:ada device:revoke device:pump-1'],
  },
  approval: {
    summary: 'what waits for a second person',
    examples: ['approval list', 'approval approve 0123456789abcdef'],
  },
  audit: {
    summary: 'the log of everything: verify it, prove a reading, see who did what',
    examples: ['audit verify', 'audit acts --limit 50', 'audit prove thermostat-1'],
  },
  witness: {
    summary: 'witnesses, who watch from outside that the log only grows',
    examples: ['witness list'],
  },
  backup: {
    summary: 'sealed backups, and trials of restoring them',
    examples: [
      'backup make --to folder:/mnt/backup/holdfast',
      'backup status',
      'backup drill --from folder:/mnt/backup/holdfast',
    ],
  },
  bucket: {
    summary: 'object storage: whether it is safe to use',
    examples: ['bucket list', 'bucket check s3://fleet-backup/prod'],
  },
  export: {
    summary: 'write readings, acts or devices to a file',
    examples: ['export readings --format csv --from 2026-11-01 --out readings.csv'],
  },
  keys: {
    summary: 'the keys of the data folder: who keeps them, rotation, recovery',
    examples: ['keys status', 'keys escrow --shares 5 --threshold 3'],
  },
  ca: {
    summary: 'the certificate authority of the devices',
    examples: ['ca status'],
  },
};
