/** Takes a simulation away: its devices are retired, what they sent is erased, their keys go. @module */
import type { Client } from '@holdfast/client';
import { DEVICE_IDS_MAX, type DeviceView } from '@holdfast/protocol/api';
import { countText } from '../device-selection.ts';
import { Failure } from '../failure.ts';
import { progressOn } from '../progress.ts';
import { withStepUp } from '../step-up.ts';
import { typeToConfirm } from '../type-to-confirm.ts';
import type { World } from '../world.ts';
import { atATime } from './at-a-time.ts';
import { ERASING_AT_A_TIME } from './limits.ts';
import { takeCensus } from './plan.ts';
import { SimulationFolder } from './simulation-folder.ts';

/** How a simulation is taken away. */
export interface RemoveOptions {
  readonly data: string | undefined;
  /** Leaves what the devices have sent. */
  readonly keepsReadings: boolean;
  /** Does not ask. */
  readonly isSure: boolean;
}

/** What was taken away. */
export interface RemovedFleet {
  readonly retired: number;
  readonly erased: number;
  /** The folder of the keys, which is gone; undefined when there was none. */
  readonly folder: string | undefined;
}

const REASON = 'the simulation is over';

/** Takes all simulated devices of a server away. @throws Failure `E_CLI_NOT_CONFIRMED` */
export async function removeFleet(
  world: World,
  client: Client,
  { data, keepsReadings, isSure }: RemoveOptions,
): Promise<RemovedFleet> {
  const folder = SimulationFolder.of(world, (await client.server()).verifierKey);
  const unlock = folder.exists ? folder.lock() : () => {};
  try {
    const census = takeCensus(await client.devices(), (id) => folder.hasKeysOf(id));
    const ids = census.simulated.map(({ id }) => id);
    if (ids.length > 0 && !isSure) await confirm(world, { ...census, keepsReadings });
    const erased = keepsReadings ? 0 : ids.length;
    if (ids.length > 0) {
      await withStepUp(world, data, async (stepped) => {
        await retireAll(stepped, ids);
        if (!keepsReadings) await eraseAll(world, stepped, ids);
      });
    }
    const had = folder.exists;
    folder.remove();
    return { retired: ids.length, erased, folder: had ? folder.path : undefined };
  } finally {
    unlock();
  }
}

/** First of all: nothing of it comes in from then on. */
async function retireAll(client: Pick<Client, 'actOnDevices'>, ids: readonly string[]) {
  for (let at = 0; at < ids.length; at += DEVICE_IDS_MAX) {
    const select = { ids: ids.slice(at, at + DEVICE_IDS_MAX) };
    await client.actOnDevices({ act: 'retire', select, reason: REASON });
  }
}

async function eraseAll(
  { stderr }: World,
  client: Pick<Client, 'eraseDevice'>,
  ids: readonly string[],
): Promise<void> {
  const progress = progressOn(stderr);
  let erased = 0;
  try {
    await atATime(ids, ERASING_AT_A_TIME, async (id) => {
      await client.eraseDevice(id, REASON);
      erased += 1;
      progress.bar(
        erased,
        ids.length,
        `erased what ${erased} of ${countText(ids.length)} have sent`,
      );
    });
  } finally {
    progress.clear();
  }
}

async function confirm(
  { input, stdout, stderr }: World,
  {
    simulated,
    realCount,
    keepsReadings,
  }: {
    simulated: readonly DeviceView[];
    realCount: number;
    keepsReadings: boolean;
  },
): Promise<void> {
  const count = simulated.length;
  const first = simulated[0]?.id ?? '';
  const last = simulated.at(-1)?.id ?? '';
  const readings = keepsReadings
    ? 'What they have sent stays'
    : 'What they have sent is erased for good';
  stderr.write(
    `This retires ${countText(count)}, ${first} to ${last}, and deletes their keys.\n` +
      `${readings}; the audit log says so, and still verifies.\n` +
      `${othersText(realCount)}\n`,
  );
  if (!input.isTty || !stdout.isTty) {
    throw new Failure('E_CLI_NOT_CONFIRMED', {
      what: 'Nothing was done.',
      why: 'Nothing brings them back.',
      fix: 'Run it again with --yes.',
    });
  }
  const word = String(count);
  const not = 'Nothing was done.';
  await typeToConfirm({ input }, { question: `Type ${word} to go on: `, word, not });
}

function othersText(count: number): string {
  if (count === 0) return 'There are no other devices.';
  return count === 1
    ? '1 device that is not simulated stays as it is.'
    : `${countText(count)} that are not simulated stay as they are.`;
}
