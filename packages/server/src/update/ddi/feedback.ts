/** What clients of hawkBit report, in its words and in ours. @module */
import { HardwareId, type UpdateReport } from '@holdfast/firmware';
import { z } from 'zod';
import { ATTRIBUTES_MAX, DETAILS_MAX } from './limits.ts';

const Line = z.string().max(4_096);

/** `POST …/deploymentBase/{id}/feedback`; what else stands in it is of no interest. */
export const FeedbackSchema = z.object({
  status: z.object({
    execution: z.enum([
      'closed',
      'proceeding',
      'canceled',
      'scheduled',
      'rejected',
      'resumed',
      'downloaded',
      'download',
    ]),
    result: z.object({
      finished: z.enum(['success', 'failure', 'none']),
      progress: z.object({ cnt: z.int().optional(), of: z.int().optional() }).nullish(),
    }),
    details: z.array(Line).max(DETAILS_MAX).nullish(),
  }),
});
export type Feedback = z.infer<typeof FeedbackSchema>;

/** `PUT …/configData`: what a device says of itself. */
export const ConfigDataSchema = z.object({
  data: z
    .record(z.string().max(128), z.string().max(1_024))
    .refine((data) => Object.keys(data).length <= ATTRIBUTES_MAX, 'too many attributes'),
});

/** What a feedback says. `undefined`: nothing that anybody has to know. */
export type FeedbackOutcome = Pick<UpdateReport, 'state' | 'why'> | undefined;

/** The state of an update after a feedback. `malformed`: an end that is neither good nor bad. */
export function outcomeOf({ status }: Feedback): FeedbackOutcome | 'malformed' {
  const { execution, result } = status;
  if (execution === 'closed') {
    if (result.finished === 'success') return { state: 'confirmed' };
    return result.finished === 'failure' ? failed(status) : 'malformed';
  }
  if (execution === 'canceled' || execution === 'rejected') return failed(status);
  // RAUC, where it is to download only, ends with this.
  if (execution === 'downloaded') return { state: 'verified' };
  if (execution === 'download') return { state: 'downloading' };
  if (execution !== 'proceeding') return undefined;
  const { cnt = 0, of = 0 } = result.progress ?? {};
  return { state: of > 0 && cnt === of ? 'staged' : 'downloading' };
}

/** The hardware id that a device says it has, in its attribute `hardware`. */
export function hardwareOf(data: Readonly<Record<string, string>>): string | undefined {
  const parsed = HardwareId.safeParse(data['hardware']);
  return parsed.success ? parsed.data : undefined;
}

/** The reason in the client's own words, as far as it fits: the first error is the cause. */
function failed({ execution, details }: Feedback['status']): FeedbackOutcome {
  const words = (details ?? []).filter((line) => line.trim() !== '').join('; ');
  return { state: 'failed', why: (words === '' ? execution : words).slice(0, WHY_CHARACTERS_MAX) };
}

const WHY_CHARACTERS_MAX = 256;
