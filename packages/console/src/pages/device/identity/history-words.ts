/** The history of a device in plain words. Pure. @module */
import { type ActName, type EventName, actWords } from '@holdfast/protocol';
import type { DeviceActView } from '@holdfast/protocol/api';
import { factTexts } from '../../audit/act-text.ts';

/** What happened, behind the device: "was quarantined". Of others, it is told who did what. */
const HAPPENED: Readonly<Partial<Record<ActName | EventName, string>>> = {
  'device.add': 'Was added',
  'device.claim': 'Got a new claim',
  'device.enroll': 'Enrolled',
  'device.payload-keys': 'Got its payload keys',
  'device.activate': 'Connected for the first time',
  'device.use-certificate': 'Used its new certificate',
  'device.renew': 'Renewed its certificate',
  'device.quarantine': 'Was quarantined',
  'device.release': 'Was released from quarantine',
  'device.suspend': 'Was suspended',
  'device.resume': 'Was resumed',
  'device.revoke': 'Was revoked',
  'device.retire': 'Was retired',
  'device.allow-idevid': 'May enroll by its IDevID',
  'device.set-group': 'Was put into another group',
  'device.set-tags': 'Got other tags',
  'device.add-tags': 'Got tags',
  'device.remove-tags': 'Lost tags',
  'device.set-hardware': 'Its hardware was noted',
  'device.api-key': 'Got an API key',
  'device.api-key-remove': 'Lost an API key',
  'device.pair': 'Was taken over by an owner',
  'device.pair-code': 'Got a pairing code',
  'device.reset': 'Was reset for a new owner',
  'device.erase': 'What it had sent was erased',
  'device.give-away': 'Was given away by its owner',
  'device.tpm-accept': 'Its TPM was vouched for',
  'device.tpm-forget': 'Its TPM was forgotten',
  'device.hardware-differs': 'Told of other hardware than was noted',
  'boot.proven': 'Proved what it runs',
  'boot.tpm-bound': 'Showed its TPM for the first time',
  'boot.unproven': 'Has no proof any more of what it runs',
  'keys.destroy': 'The keys of what it had sent were destroyed',
  'app.pair': 'Was paired with an app',
  'update.assign': 'Got a release assigned',
  'audit.prove': 'Evidence of a reading was given',
};

const told: ReadonlyMap<string, string> = new Map(Object.entries(HAPPENED));

/** What happened. */
export function happenedText(act: DeviceActView): string {
  return told.get(act.action) ?? actWords(act.action);
}

/** Facts that say nothing to a person, or are shown elsewhere. */
const UNTOLD: ReadonlySet<string> = new Set([
  'certificateDer',
  'stateBefore',
  'stateAfter',
  'isRepeated',
  'ignored',
  'overlapMs',
]);
const FACT_MAX = 80;

/** What was noted besides, each fact in a few words. */
export function notedTexts({ facts = {} }: DeviceActView): readonly string[] {
  const told = Object.entries(facts).filter(([name, value]) => {
    const isEmpty = value === '' || (Array.isArray(value) && value.length === 0);
    return !UNTOLD.has(name) && !isEmpty;
  });
  return factTexts({ facts: Object.fromEntries(told) }).map((text) =>
    text.length > FACT_MAX ? `${text.slice(0, FACT_MAX - 1)}…` : text,
  );
}
