/** The acts on a device in plain words: what happens, and what does not come back. @module */
import type { DevicePossibleAct } from '@holdfast/protocol/api';

/** An act that the menu of the page offers; the others stand where they belong. */
export type MenuAct = Exclude<
  DevicePossibleAct,
  'command' | 'api-key' | 'assign-release' | 'prove'
>;

/** How an act is offered and asked for. */
export interface ActWords {
  /** In the menu, and on the button that does it. */
  readonly label: string;
  /** What happens when it is done. */
  readonly happens: string;
  /** What comes back, and what does not. */
  readonly stays: string;
  readonly isDangerous?: boolean;
  /** The id has to be typed: it cannot be undone. */
  readonly isTyped?: boolean;
}

/** All of them. */
export const ACT_WORDS: Readonly<Record<MenuAct, ActWords>> = {
  quarantine: {
    label: 'Quarantine',
    happens:
      'Its connections close within a second, and nothing it sends is taken in any more. It can still be updated and repaired.',
    stays: 'It keeps its certificate and keys, and is back as soon as somebody releases it.',
    isDangerous: true,
  },
  release: {
    label: 'Release from quarantine',
    happens: 'It may connect again at once, and goes back to where it was before.',
    stays: 'Look at what was found first: whoever has its key sends in its name again.',
  },
  suspend: {
    label: 'Suspend',
    happens: 'Its connections close within a second, and it is refused until it is resumed.',
    stays: 'It keeps its certificate and keys. What it cannot send meanwhile it may keep itself.',
  },
  resume: {
    label: 'Resume',
    happens: 'It may connect again at once, and goes back to where it was before.',
    stays: 'Nothing else changes.',
  },
  revoke: {
    label: 'Revoke',
    happens:
      'Its connections close within a second. Its certificate, its API keys and an open claim end, and others learn of it by the revocation list.',
    stays:
      'What it has sent stays. The certificate does not come back: the device has to enroll anew, with a new claim and a new key.',
    isDangerous: true,
    isTyped: true,
  },
  retire: {
    label: 'Retire for good',
    happens: 'As revoked, and for good: it can never be enrolled again.',
    stays: 'What it has sent stays. Its id is never given to another device.',
    isDangerous: true,
    isTyped: true,
  },
  erase: {
    label: 'Erase what it has sent',
    happens:
      'The keys of all that it has sent are destroyed, here and in all backups. Nobody can read it again, you neither.',
    stays:
      'The log still proves that something was there, but not what. The device itself stays, and can go on to send.',
    isDangerous: true,
    isTyped: true,
  },
  reset: {
    label: 'Reset for a new owner',
    happens:
      'The rights of its owner and of all their apps end at once. What it has sent is erased.',
    stays: 'Neither comes back. The device stays enrolled, and can be paired with somebody else.',
    isDangerous: true,
    isTyped: true,
  },
  'set-group': {
    label: 'Change the group',
    happens: 'The policy decides by the new group from now on, for open connections too.',
    stays: 'It can be changed again at any time.',
  },
  'set-tags': {
    label: 'Change the tags',
    happens: 'People find it by these words. Nothing else hangs on them.',
    stays: 'They can be changed again at any time.',
  },
  'set-hardware': {
    label: 'Change the hardware',
    happens: 'Only releases for this kind of hardware are offered to it.',
    stays: 'A wrong kind can make it refuse an update, never install a wrong one.',
  },
  claim: {
    label: 'Make a new claim',
    happens:
      'You get a one-time claim by which the device enrolls with a new key. An earlier claim is void.',
    stays:
      'Its present certificate counts until it enrolls again. A revoked device may enroll again by it.',
  },
  'pair-code': {
    label: 'Make a pairing code',
    happens:
      'You get a one-time code for the label of the device: whoever scans it in the app becomes its owner.',
    stays: 'An earlier code is void.',
  },
};

/** The menu: groups of acts, the gentle ones first. */
export const ACT_GROUPS: readonly { readonly label: string; readonly acts: readonly MenuAct[] }[] =
  [
    { label: 'Describe it', acts: ['set-group', 'set-tags', 'set-hardware'] },
    { label: 'Hand it over', acts: ['claim', 'pair-code'] },
    { label: 'Stop it', acts: ['quarantine', 'release', 'suspend', 'resume', 'revoke'] },
    { label: 'For good', acts: ['reset', 'erase', 'retire'] },
  ];

/** Takes the tags out of what somebody typed. */
export function tagsIn(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/u).filter((tag) => tag !== ''))];
}
