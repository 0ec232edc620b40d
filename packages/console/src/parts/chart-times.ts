/** The times below a chart: short, and never two lines. @module */

const SECONDS = format({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const MINUTES = format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DAYS = format({ day: 'numeric', month: 'short' });
const MINUTE_S = 60;
const DAY_S = 86_400;

/**
 * A text for each time of an axis.
 * @param timesS - seconds since 1970.
 * @param stepS - how far they are apart.
 */
export function timeTexts(timesS: readonly number[], stepS: number): string[] {
  return timesS.map((timeS) => {
    const date = new Date(timeS * 1_000);
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    if (stepS >= DAY_S || isMidnight) return DAYS.format(date);
    return (stepS < MINUTE_S ? SECONDS : MINUTES).format(date);
  });
}

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(undefined, options);
}
