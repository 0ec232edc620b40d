/** `rollout list`, `show`, `pause`, `resume`, `abort`, `forward`. @module */
import { setTimeout as wait } from 'node:timers/promises';
import type { RolloutView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { jsonLine, printable } from '../printable.ts';
import { rolloutText, rolloutsText } from '../rollout/rollout-text.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import { showOrWatch, WATCH_OPTION } from '../watch.ts';
import type { World } from '../world.ts';

/** How often it is asked how far a rollout is. */
const FOLLOW_MS = 1_000;

const REASON_OPTION = { type: 'string', value: 'TEXT', help: 'why, for the audit log' } as const;

/** Lists the rollouts. */
export const rolloutList: Command = defineCommand(
  {
    path: 'rollout list',
    summary: 'list the rollouts, and how far they are',
    options: { watch: WATCH_OPTION, json: JSON_OPTION, data: DATA_OPTION },
    examples: ['rollout list', 'rollout list --watch'],
  },
  async (world, { values }) => {
    await withClient(world, values.data, (client) =>
      showOrWatch(world, values, {
        read: () => client.rollouts(),
        text: (rollouts) => rolloutsText(rollouts, world),
        json: (rollouts) => jsonLine({ rollouts }),
      }),
    );
  },
);

/** Shows a rollout. */
export const rolloutShow: Command = defineCommand(
  {
    path: 'rollout show',
    summary: 'show a rollout: its stages, and why devices failed',
    arguments: ['id'],
    options: {
      devices: { type: 'boolean', help: 'list the devices that failed, went back, or hang' },
      follow: { type: 'boolean', help: 'show how it goes on, until it pauses or ends' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['rollout show 5be1c0de --follow', 'rollout show 5be1c0de --devices'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const { data, json, follow, devices } = values;
    if (follow === true) return followRollout(world, { id, data, json });
    const rollout = await withClient(world, data, (client) => client.rollout(id));
    if (json === true) return world.stdout.write(jsonLine(rollout));
    world.stdout.write(rolloutText(rollout, world));
    if (devices === true) await listTroubled(world, { id, data });
  },
);

/** Pauses a rollout. */
export const rolloutPause: Command = actCommand('pause', {
  summary: 'stop a rollout for a while',
  details:
    'No further device is offered the release, and those that have not begun go on with\n' +
    'what they had. Devices that have begun finish. Your second factor is not asked for.',
});

/** Lets a rollout go on. */
export const rolloutResume: Command = actCommand('resume', {
  summary: 'let a paused rollout go on',
  details:
    'The troubles that it has had so far are accepted: it pauses again when others come\n' +
    'on top of them. The server asks for your second factor.',
});

/** Ends a rollout. */
export const rolloutAbort: Command = actCommand('abort', {
  summary: 'end a rollout for good',
  details:
    'The release is taken back from devices that have not begun. Those that have are left\n' +
    'to finish; to bring them something else, roll out a newer release.',
});

/** Rolls forward. */
export const rolloutForward: Command = defineCommand(
  {
    path: 'rollout forward',
    summary: 'let a newer release take over the devices of a paused rollout',
    details:
      'In the same stages and under the same rules, also for the devices that failed. The\n' +
      'security counter never goes back, so the way out of a bad release is a newer one.',
    arguments: ['id', 'line@version'],
    options: { reason: REASON_OPTION, json: JSON_OPTION, data: DATA_OPTION },
    examples: ['rollout forward 5be1c0de thermostat@2.1.1 --reason "the leak is closed"'],
  },
  async (world, { values, positionals: [id = '', release = ''] }) => {
    const reason = values.reason ?? 'rolled forward on the command line';
    const rollout = await withStepUp(world, values.data, (client) =>
      client.forwardRollout(id, { release, reason }),
    );
    world.stdout.write(values.json === true ? jsonLine(rollout) : rolloutText(rollout, world));
  },
);

/** Shows a rollout each time that something has changed, until it pauses or ends. */
export async function followRollout(
  world: World,
  { id, data, json }: { id: string; data: string | undefined; json?: boolean | undefined },
): Promise<void> {
  const stopped = new AbortController();
  world.onStopSignal(() => stopped.abort());
  let shown = '';
  while (!stopped.signal.aborted) {
    const rollout = await withClient(world, data, (client) => client.rollout(id));
    const text = json === true ? jsonLine(rollout) : rolloutText(rollout, world);
    const before = json === true ? '' : above(world, shown);
    if (text !== shown) world.stdout.write(before + text);
    shown = text;
    if (!isMoving(rollout)) return;
    await wait(FOLLOW_MS, undefined, { signal: stopped.signal }).catch(() => {});
  }
}

/** On a terminal, what was shown before is written over. */
function above({ stdout }: World, shown: string): string {
  const lines = shown.split('\n').length - 1;
  return stdout.isTty && lines > 0 ? `\u001B[${lines}A\u001B[J` : '';
}

function isMoving({ state }: RolloutView): boolean {
  return state === 'running' || state === 'waiting-approval';
}

async function listTroubled(
  world: World,
  { id, data }: { id: string; data: string | undefined },
): Promise<void> {
  const rows = await withClient(world, data, async (client) => {
    const found: string[][] = [];
    for (const state of ['failed', 'reverted', 'skipped'] as const) {
      const { devices } = await client.rolloutDevices(id, { state });
      found.push(...devices.map(({ device, why = '' }) => [device, state, printable(why)]));
    }
    return found;
  });
  world.stdout.write(table(rows, 2));
}

function actCommand(
  act: 'pause' | 'resume' | 'abort',
  text: { readonly summary: string; readonly details: string },
): Command {
  const path = `rollout ${act}`;
  return defineCommand(
    {
      path,
      ...text,
      arguments: ['id'],
      options: { reason: REASON_OPTION, json: JSON_OPTION, data: DATA_OPTION },
      examples: [`${path} 5be1c0de --reason "the support line rings"`],
    },
    async (world, { values, positionals: [id = ''] }) => {
      const reason = values.reason ?? `${act} on the command line`;
      const rollout = await withStepUp(world, values.data, (client) =>
        client.actOnRollout(id, act, reason),
      );
      world.stdout.write(values.json === true ? jsonLine(rollout) : rolloutText(rollout, world));
    },
  );
}
