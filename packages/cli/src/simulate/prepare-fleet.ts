/** What comes before a simulation runs: whom the server has, and who has to be enrolled. @module */
import type { Client } from '@holdfast/client';
import type { DeviceView } from '@holdfast/protocol/api';
import { countText } from '../device-selection.ts';
import { Failure } from '../failure.ts';
import type { World } from '../world.ts';
import { type Census, type PlannedDevice, planFleet, takeCensus } from './plan.ts';
import { simulationFailure } from './simulation-failure.ts';
import { SimulationFolder } from './simulation-folder.ts';
import type { Wish } from './wish.ts';

/** A fleet as it is planned, and as far as it is there. */
export interface PreparedFleet {
  readonly folder: SimulationFolder;
  readonly run: number;
  readonly devices: readonly PlannedDevice[];
  /** Of these, those that have no keys here. */
  readonly missing: readonly PlannedDevice[];
  /** Simulated devices that the server has already. */
  readonly known: ReadonlyMap<string, DeviceView>;
  /** Devices that somebody has retired one by one: they stay away. */
  readonly retiredCount: number;
}

/**
 * Looks at the server, asks when it has real devices, and plans.
 * @throws Failure `E_CLI_NOT_CONFIRMED`, `E_CLI_SIMULATION`
 */
export async function prepareFleet(
  world: World,
  client: Pick<Client, 'server' | 'devices'>,
  wish: Wish,
): Promise<PreparedFleet> {
  const { verifierKey } = await client.server();
  const folder = SimulationFolder.of(world, verifierKey);
  const all = await client.devices();
  const census = takeCensus(all, (id) => folder.hasKeysOf(id));
  const run = runOf(folder, census);
  await confirmMixed(world, { census, wish });
  const retired = new Set(all.filter(({ state }) => state === 'retired').map(({ id }) => id));
  const planned = planFleet({ ...wish, run });
  const devices = planned.filter(({ id }) => !retired.has(id));
  return {
    folder,
    run,
    devices,
    missing: devices.filter(({ id }) => !folder.hasKeysOf(id)),
    known: new Map(census.simulated.map((device) => [device.id, device])),
    retiredCount: planned.length - devices.length,
  };
}

/** Number of this simulation: that of the keys which are here, or a new one. */
function runOf(folder: SimulationFolder, { simulated, lastRun }: Census): number {
  const { run } = folder;
  if (run !== undefined && (simulated.length > 0 || lastRun < run)) return run;
  // What is here are keys of devices that were all retired meanwhile.
  if (run !== undefined) folder.remove();
  if (simulated.length === 0) return lastRun + 1;
  throw simulationFailure(
    `The server has ${countText(simulated.length)} of another simulation, and their keys are not here.`,
    'Go on where they were simulated, or take them away first: holdfast simulate remove.',
    'Another user or another machine simulates them, or the keys were deleted.',
  );
}

/** Simulated devices count in lists and charts: nobody should find them beside theirs by surprise. */
async function confirmMixed(
  { input, stdout }: World,
  { census, wish }: { census: Census; wish: Wish },
): Promise<void> {
  const { realCount, simulated } = census;
  // Whoever simulates beside them already has said so before.
  if (wish.isMixed || realCount === 0 || simulated.length > 0) return;
  const what = `This server has ${countText(realCount)} that ${realCount === 1 ? 'is' : 'are'} not simulated.`;
  if (!input.isTty || !stdout.isTty) {
    throw new Failure('E_CLI_NOT_CONFIRMED', {
      what: `${what} Nothing was done.`,
      why: 'Simulated ones would count beside them, in lists, charts and on the disk.',
      fix: 'Simulate on a server of its own (holdfast up --data ./try), or give --mixed.',
    });
  }
  const attacks = wish.misbehave === 0 ? '' : ` ${wish.misbehave} of them attack the server.`;
  const answer = await input.ask(
    `${what} Simulated ones would count beside them, in lists,\n` +
      `charts and on the disk.${attacks} "holdfast simulate remove" takes them away again.\n` +
      'Type yes to go on: ',
  );
  if (answer.trim().toLowerCase() === 'yes') return;
  throw new Failure('E_CLI_NOT_CONFIRMED', {
    what: 'Nothing was done.',
    why: `You typed "${answer.trim()}".`,
    fix: 'Simulate on a server of its own: holdfast up --data ./try.',
  });
}
