/** Plans for people who do not want to write one. @module */
import type { RolloutRequest } from '@holdfast/protocol/api';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How carefully a release is rolled out. */
export const PACES = [
  {
    name: 'careful',
    label: 'Carefully',
    description: '1 %, 10 %, then all; each stage is watched for a day.',
    stages: [
      { select: { percent: 1 }, successRate: 0.95, soakMs: DAY_MS },
      { select: { percent: 10 }, successRate: 0.95, soakMs: DAY_MS },
      { select: { percent: 100 } },
    ],
    failures: 0.05,
  },
  {
    name: 'urgent',
    label: 'Urgently',
    description: '5 %, then all; watched for an hour. For a hole that is being used.',
    stages: [
      { select: { percent: 5 }, successRate: 0.9, soakMs: HOUR_MS },
      { select: { percent: 100 } },
    ],
    failures: 0.1,
  },
  {
    name: 'once',
    label: 'All at once',
    description: 'For a bench, or a handful of devices on the desk.',
    stages: [{ select: { percent: 100 } }],
    failures: 0.1,
  },
] as const;
export type Pace = (typeof PACES)[number]['name'];

/** The request of a rollout at a pace. */
export function requestOf({
  release,
  pace,
  needsConsent,
}: {
  readonly release: string;
  readonly pace: Pace;
  readonly needsConsent: boolean;
}): RolloutRequest {
  const { stages, failures } = PACES.find(({ name }) => name === pace) ?? PACES[0];
  return {
    release,
    plan: {
      stages: [...stages],
      pauseOn: { failures },
      needsConsent,
      ...(needsConsent && { consentBoundMs: 7 * DAY_MS }),
    },
  };
}
