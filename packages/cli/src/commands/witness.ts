/** `witness …`: whose cosignatures of the log count. @module */
import type { WitnessView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import { textFrom } from '../text-source.ts';
import type { World } from '../world.ts';

const OUTPUT_OPTIONS = { json: JSON_OPTION, data: DATA_OPTION } as const;

/** Lets the cosignatures of a witness count. */
export const witnessAdd: Command = defineCommand(
  {
    path: 'witness add',
    summary: 'let the cosignatures of a witness count',
    details: 'KEY is the line that holdfast audit witness prints, or @FILE with its witness.pub.',
    arguments: ['key'],
    options: OUTPUT_OPTIONS,
    examples: ['witness add @witness.pub'],
  },
  async (world, { values, positionals: [key = ''] }) => {
    const text = await textFrom(key, world);
    const witness = await withStepUp(world, values.data, (client) => client.addWitness(text));
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(witness));
    stdout.write(`${printable(witness.name)} is a witness of the log from now on.\n`);
  },
);

/** Lists the witnesses. */
export const witnessList: Command = defineCommand(
  {
    path: 'witness list',
    summary: 'list the witnesses of the log, and what each has cosigned last',
    options: OUTPUT_OPTIONS,
    examples: ['witness list'],
  },
  async (world, { values }) => {
    const witnesses = await withClient(world, values.data, (client) => client.witnesses());
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ witnesses }));
    if (witnesses.length === 0) {
      return stdout.write('There is none. On another machine: holdfast audit witness\n');
    }
    stdout.write(table(witnesses.map((witness) => row(world, witness))));
  },
);

/** Trusts a witness no more. */
export const witnessRemove: Command = defineCommand(
  {
    path: 'witness remove',
    summary: 'trust a witness no more',
    arguments: ['name-or-id'],
    options: OUTPUT_OPTIONS,
    examples: ['witness remove witness.example.com', 'witness remove 8d66cf3f'],
  },
  async (world, { values, positionals: [given = ''] }) => {
    const removed = await withStepUp(world, values.data, async (client) => {
      const witness = found(await client.witnesses(), given);
      await client.removeWitness(witness.id);
      return witness;
    });
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ removed: removed.id }));
    stdout.write(`${printable(removed.name)} is no witness of the log any more.\n`);
  },
);

function found(witnesses: readonly WitnessView[], given: string): WitnessView {
  const matching = witnesses.filter(({ id, name }) => id === given || name === given);
  const [witness] = matching;
  if (witness !== undefined && matching.length === 1) return witness;
  throw new Failure('E_OPERATE_NOT_FOUND', {
    what: `${matching.length === 0 ? 'No witness' : 'More than one witness'} is called "${given}".`,
    why: 'A witness is named by its id, or by a name that only one of them has.',
    fix: 'Give the id that holdfast witness list shows.',
  });
}

function row({ stdout, timeZone }: World, { id, name, latest, alarm }: WitnessView): string[] {
  const paint = paintFor(stdout);
  const count = new Intl.NumberFormat('en');
  const seen =
    latest === undefined
      ? 'has cosigned nothing yet'
      : `${count.format(latest.size)} entries at ${localTime(latest.at, timeZone)}`;
  const alarmText =
    alarm === undefined
      ? []
      : [paint.bad(`ALARM: saw ${count.format(alarm.size)} entries that this log does not have`)];
  return [id, printable(name), seen, ...alarmText];
}
