/** `simulate`: a fleet that is not there, for whoever wants to see the server at work. @module */
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../failure.ts';
import { runFleet } from '../simulate/run-fleet.ts';
import { WISH_OPTIONS, readWish } from '../simulate/wish.ts';
import type { World } from '../world.ts';

/** Ctrl-C reaches a process twice when npm passes it on; signals this close are one. In ms. */
const ECHO_MS = 500;

/** Simulates a fleet. */
export const simulate: Command = defineCommand(
  {
    path: 'simulate',
    summary: 'run a simulated fleet against the server, to see it at work',
    details:
      'The devices are enrolled by real claims and speak through the device SDK: readings\n' +
      'with the rhythm of a day, outages, commands (set {"target": 22} for a thermostat).\n' +
      'They are marked: ids begin with sim-, and all are in the group simulated. Those that\n' +
      'misbehave tamper, replay, spoof and flood; the server shows what it refuses.\n' +
      'Ctrl-C stops it, and the same command goes on with the same devices.\n' +
      'To take all of it away again: holdfast simulate remove',
    options: { ...WISH_OPTIONS, json: JSON_OPTION, data: DATA_OPTION },
    examples: [
      'simulate --devices 200 --class thermostat --misbehave 4',
      'simulate --devices 50 --backfill 24h --for 10m',
      'simulate --devices 200 --readings-per-second 2000 --json',
      'simulate remove',
    ],
  },
  async (world, { values }) => {
    const wish = readWish(values);
    const ending = new AbortController();
    stopOnSignal(world, ending);
    const { data, json } = values;
    const options = { wish, data, isJson: json === true, signal: ending.signal };
    await withClient(world, data, (client) => runFleet(world, client, options));
  },
);

/** Stops at the first signal; a second one does not wait for goodbyes. */
function stopOnSignal(world: World, ending: AbortController): void {
  let firstMs: number | undefined;
  world.onStopSignal(() => {
    if (firstMs === undefined) {
      firstMs = world.nowMs();
      world.stderr.write('\nStopping. Once more to stop at once.\n');
      ending.abort();
    } else if (world.nowMs() - firstMs >= ECHO_MS) world.exit(EXIT.failed);
  });
}
