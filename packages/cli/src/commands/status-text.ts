/** What `status` says. @module */
import type { Overview, ServerInfo, Trouble } from '@holdfast/protocol/api';
import { localTime, spanText } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { troubleText } from '../trouble-text.ts';
import type { World } from '../world.ts';
import { counted, statusRows, type Tools } from './status-rows.ts';

/** Who reads it, and when. */
export type StatusReader = Pick<World, 'stdout' | 'timeZone' | 'nowMs'>;

/** True when nothing is wrong: advice is not. */
export function isWell({ isReady, troubles }: Overview): boolean {
  return isReady && !troubles.some(isWrong);
}

/** The whole screen. */
export function statusText(
  { overview, server }: { readonly overview: Overview; readonly server: ServerInfo },
  { stdout, timeZone, nowMs }: StatusReader,
): string {
  const tools = {
    paint: paintFor(stdout),
    ago: (at: string) => `${spanText(nowMs() - Date.parse(at))} ago`,
    until: (at: string) => {
      const left = Date.parse(at) - nowMs();
      return left > 0
        ? `in ${spanText(left)} (${localTime(at, timeZone).slice(0, 10)})`
        : `${spanText(-left)} ago`;
    },
  };
  const upFor = spanText(nowMs() - Date.parse(overview.startedAt));
  const about = tools.paint.faint(`Holdfast ${printable(overview.version)}, up for ${upFor}`);
  const wrong = overview.troubles.filter(isWrong).map(({ severity, title, ...rest }) => {
    const head = `${MARKS[severity]} ${severity}: ${title}`;
    return troubleText({ ...rest, head, isBad: true }, stdout);
  });
  const facts = table(statusRows(overview, server, tools), 2);
  return `${verdict(overview, tools)}  ${about}\n\n${wrong.join('')}${facts}${adviceText(overview, tools)}`;
}

function verdict(overview: Overview, { paint }: Tools): string {
  const wrong = overview.troubles.filter(isWrong);
  if (wrong.length > 0)
    return paint.bad(`✗ ${counted(wrong.length, 'thing is', 'things are')} wrong.`);
  if (!overview.isReady) return paint.bad('✗ The server cannot store what it is sent.');
  const advice = overview.troubles.length;
  if (advice === 0) return paint.good('✓ Everything is well.');
  return paint.good(`✓ Nothing is wrong; ${counted(advice, 'piece', 'pieces')} of advice.`);
}

const MARKS = { critical: '✗', warning: '!', advice: '·' } as const;

function isWrong({ severity }: Trouble): boolean {
  return severity !== 'advice';
}

/** What could be better: a line each, behind what is; in full with --json. */
function adviceText({ troubles }: Overview, { paint }: Tools): string {
  const advice = troubles.filter((one) => !isWrong(one));
  if (advice.length === 0) return '';
  const lines = advice.map(({ title, command, fix }) => [
    `${MARKS.advice} ${printable(title)}`,
    command === undefined ? printable(fix) : paint.command(printable(command)),
  ]);
  return `\n${paint.strong('Advice')}\n${table(lines, 2)}`;
}
