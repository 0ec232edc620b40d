/** `doctor`: checks the installation on the machine of the server, running or not. @module */
import { dataFolder } from '../access.ts';
import { DATA_OPTION, defineCommand, integerOption, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { examine } from '../doctor/examine.ts';
import type { Finding, Level } from '../doctor/finding.ts';
import { EXIT } from '../failure.ts';
import { type Paint, paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { progressOn } from '../progress.ts';
import { table } from '../table.ts';
import { troubleText } from '../trouble-text.ts';
import type { World } from '../world.ts';
import { PORTS } from './ports.ts';

/** Checks the installation. */
export const doctor: Command = defineCommand(
  {
    path: 'doctor',
    summary: 'check the installation: files, disk, clock, ports, TLS; and how to mend it',
    details:
      'Run it on the machine of the server, as its user; the server may run or not. It looks\n' +
      'at versions, the clock, randomness, who can read the data folder, the disk, ports,\n' +
      'the limit of open files, and work that did not end. Of a running server it tries each\n' +
      'listener as a stranger would. Where it cannot see that the server itself accepts the\n' +
      'connections, as behind a proxy, it tries also what has to be refused: that appears\n' +
      'among the refusals, from this machine. Nothing is changed.\n' +
      'Ends with 0 when nothing is bad, with 4 when something is. Warnings (!) and what\n' +
      'could not be seen (?) do not count; with --strict, warnings do.',
    options: {
      'broker-port': {
        type: 'string',
        value: 'PORT',
        help: `MQTT, if none runs (default ${PORTS.broker})`,
      },
      'api-port': {
        type: 'string',
        value: 'PORT',
        help: `HTTP API, if none runs (default ${PORTS.api})`,
      },
      'enroll-port': {
        type: 'string',
        value: 'PORT',
        help: `enrollment, if none runs (default ${PORTS.enroll})`,
      },
      strict: { type: 'boolean', help: 'end with 4 for a warning, too' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['doctor', 'doctor --data /var/lib/holdfast --strict', 'doctor --json'],
  },
  async (world, { values }) => {
    const wanted = (['broker', 'api', 'enroll'] as const).map((name) => {
      const option = `${name}-port` as const;
      const text = values[option] ?? PORTS[name];
      return { name, port: integerOption(text, { name: option, min: 1, max: 65_535 }) };
    });
    const progress = progressOn(world.stderr);
    progress.show('Checking …');
    const { installationAt } = await world.server();
    const installation = installationAt(values.data ?? dataFolder(world.env));
    const findings = await examine(world, installation, wanted);
    progress.clear();
    const isSick = ({ level }: Finding): boolean =>
      level === 'bad' || (values.strict === true && level === 'warn');
    const isWell = !findings.some(isSick);
    world.stdout.write(
      values.json === true
        ? jsonLine({ isWell, data: installation.folder.path, findings })
        : reportText(findings, world),
    );
    return isWell ? EXIT.ok : EXIT.trouble;
  },
);

/** The worst first; what is good is one line each. */
const ORDER = ['bad', 'warn', 'unknown', 'good'] as const;
const MARKS: Readonly<Record<Level, string>> = { bad: '✗', warn: '!', unknown: '?', good: '✓' };

function reportText(findings: readonly Finding[], { stdout }: Pick<World, 'stdout'>): string {
  const paint = paintFor(stdout);
  const groups = Object.groupBy(findings, ({ level }) => level);
  const count = (level: Level): number => groups[level]?.length ?? 0;
  const troubles = ORDER.slice(0, -1).flatMap((level) => groups[level] ?? []);
  const fine = (groups.good ?? []).map(({ check, what }) => [
    paint.good(MARKS.good),
    check,
    printable(what),
  ]);
  const head = headText(
    { bad: count('bad'), warn: count('warn'), unknown: count('unknown') },
    paint,
  );
  const told = troubles.map(({ check, level, what, why, fix }) => {
    const head = `${MARKS[level]} ${check}: ${what}`;
    return troubleText({ head, isBad: level === 'bad', why, fix }, stdout);
  });
  return `${head}\n\n${told.join('')}${table(fine, 2)}`;
}

function headText(
  { bad, warn, unknown }: { bad: number; warn: number; unknown: number },
  paint: Paint,
): string {
  const unseen = unknown === 0 ? '' : ` ${unknown} could not be checked.`;
  const warnings = warn === 0 ? '' : `${warn} ${warn === 1 ? 'warning' : 'warnings'}.`;
  if (bad > 0) {
    const text = `✗ ${bad} ${bad === 1 ? 'thing is' : 'things are'} bad.`;
    return `${paint.bad(text)}${warnings === '' ? '' : ` ${warnings}`}${unseen}`;
  }
  const text = warn === 0 ? '✓ Nothing is wrong.' : `✓ Nothing is bad; ${warnings}`;
  return `${paint.good(text)}${unseen}`;
}
