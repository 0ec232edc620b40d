/** `device updates`: what became of the updates of a device. @module */
import { type UpdateStory, updateStepWords, updateStories } from '@holdfast/protocol';
import type { DeviceUpdateList, DeviceUpdateStep } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { type Paint, paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { showOrWatch, WATCH_OPTION } from '../watch.ts';
import type { World } from '../world.ts';

/** Shows the updates of a device, step by step. */
export const deviceUpdates: Command = defineCommand(
  {
    path: 'device updates',
    summary: 'show what became of the updates of a device, step by step',
    details:
      'Who assigned which release, what the device told of it, and when the server heard it. The\n' +
      'newest update comes last. Only the last steps of a device are kept; what it was assigned\n' +
      'before them stands on the audit log.',
    arguments: ['id'],
    options: { watch: WATCH_OPTION, json: JSON_OPTION, data: DATA_OPTION },
    examples: ['device updates pump-1', 'device updates pump-1 --watch'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    await withClient(world, values.data, (client) =>
      showOrWatch(world, values, {
        read: () => client.deviceUpdates(id),
        text: (updates) => updatesText(updates, world),
      }),
    );
  },
);

function updatesText({ device, steps, isComplete }: DeviceUpdateList, world: World): string {
  if (steps.length === 0) return `${printable(device)} has had no update yet.\n`;
  const paint = paintFor(world.stdout);
  const stories = updateStories(steps)
    .toReversed()
    .map((story) => storyText(story, { paint, timeZone: world.timeZone }));
  const older = isComplete ? '' : paint.faint('Older steps are not shown.\n\n');
  return older + stories.join('\n');
}

function storyText(story: UpdateStory, { paint, timeZone }: { paint: Paint; timeZone: string }) {
  const rows = story.steps.map((step) => [
    paint.faint(localTime(step.at, timeZone)),
    painted(step, story, paint),
    printable(aboutText(step)),
  ]);
  return `${paint.strong(printable(story.release ?? 'no release'))}\n${table(rows, 2)}`;
}

function painted(step: DeviceUpdateStep, story: UpdateStory, paint: Paint): string {
  const words = printable(updateStepWords(step, story));
  if (step.what !== 'told') return words;
  if (step.state === 'confirmed') return paint.good(words);
  const isBad = step.state === 'failed' || step.state === 'reverting' || step.state === 'reverted';
  return isBad ? paint.bad(words) : words;
}

/** By whom, or why. */
function aboutText(step: DeviceUpdateStep): string {
  if (step.what === 'told') return step.why ?? '';
  if (step.what === 'agreed') return `by ${step.by}`;
  if (step.rollout !== undefined) return `by rollout ${step.rollout}`;
  return `by ${step.by}${step.reason === undefined ? '' : `: ${step.reason}`}`;
}
