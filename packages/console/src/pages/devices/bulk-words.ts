/** What can be done to many devices, in plain words. @module */
import type { BulkAct } from '@holdfast/protocol/api';

/** How an act is offered, and what is said of it. */
export interface BulkWords {
  /** In the menu, and on the button that does it. */
  readonly label: string;
  /** As in "37 devices will be suspended". */
  readonly becomes: string;
  /** What that means for each of them. */
  readonly happens: string;
  readonly isDangerous?: boolean;
  /** The number of devices has to be typed. */
  readonly isTyped?: boolean;
  /** What has to be said first. */
  readonly field?: { readonly label: string; readonly description: string };
}

export const BULK_WORDS: Readonly<Record<BulkAct, BulkWords>> = {
  'add-tags': {
    label: 'Add tags',
    becomes: 'will get these tags',
    happens: 'People find them by these words. Nothing else hangs on tags.',
    field: { label: 'Tags', description: 'Lower-case words, with commas or spaces between them.' },
  },
  'remove-tags': {
    label: 'Remove tags',
    becomes: 'will lose these tags',
    happens: 'Their other tags stay.',
    field: { label: 'Tags', description: 'Lower-case words, with commas or spaces between them.' },
  },
  'set-group': {
    label: 'Change the group',
    becomes: 'will go to this group',
    happens: 'The policy decides by the new group from now on, for open connections too.',
    field: { label: 'Group', description: 'Empty: they will be in no group.' },
  },
  suspend: {
    label: 'Suspend',
    becomes: 'will be suspended',
    happens:
      'Their connections close within a second, and they are refused until somebody resumes them. They keep their certificates and keys.',
    isDangerous: true,
  },
  resume: {
    label: 'Resume',
    becomes: 'will be resumed',
    happens: 'They may connect again at once, and go back to where they were before.',
  },
  quarantine: {
    label: 'Quarantine',
    becomes: 'will be quarantined',
    happens:
      'Their connections close within a second, and nothing they send is taken in until somebody has looked and releases them. They can still be updated.',
    isDangerous: true,
  },
  release: {
    label: 'Release from quarantine',
    becomes: 'will be released',
    happens: 'They may connect again at once. Look at what was found first.',
  },
  revoke: {
    label: 'Revoke',
    becomes: 'will be revoked',
    happens:
      'Their access ends at once, and their certificates never work again. Each one comes back only by a new claim, enrolled by hand.',
    isDangerous: true,
    isTyped: true,
  },
  retire: {
    label: 'Retire for good',
    becomes: 'will be retired',
    happens: 'Their access ends for good. None of them comes back, and no id is given again.',
    isDangerous: true,
    isTyped: true,
  },
};

/** The menu: the gentle acts first. */
export const BULK_GROUPS: readonly { readonly label: string; readonly acts: readonly BulkAct[] }[] =
  [
    { label: 'Describe', acts: ['add-tags', 'remove-tags', 'set-group'] },
    { label: 'Stop and let back in', acts: ['suspend', 'resume', 'quarantine', 'release'] },
    { label: 'For good', acts: ['revoke', 'retire'] },
  ];

/** What the policy has to permit for each of them, beside doing something to many at all. */
export const BULK_ACTIONS: Readonly<Record<BulkAct, string>> = {
  'add-tags': 'device:tag',
  'remove-tags': 'device:tag',
  'set-group': 'device:group',
  suspend: 'device:suspend',
  resume: 'device:suspend',
  quarantine: 'device:quarantine',
  release: 'device:release',
  revoke: 'device:revoke',
  retire: 'device:retire',
};
