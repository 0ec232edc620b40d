/** The time that a payload carries in "ts". @module */
import { isDigit } from './ascii.ts';

/**
 * Reads the JSON text of "ts": seconds or milliseconds since 1970 as a number, or RFC 3339 text.
 *
 * @param json - canonical JSON text of the value
 * @returns whole milliseconds since 1970, 0 to 8.64e15 (the last time that `Date` knows), or
 * `undefined` when this is no time
 */
export function timeMsOf(json: string): number | undefined {
  const timeMs = json.startsWith('"') ? rfc3339Ms(json.slice(1, -1)) : numberMs(json);
  return timeMs >= 0 && timeMs <= TIME_MS_MAX ? timeMs : undefined;
}

/** A number below this is seconds: as milliseconds it would lie before March 1973. */
const MILLISECONDS_FROM = 1e11;

const TIME_MS_MAX = 8.64e15;

function numberMs(json: string): number {
  // Neither -0.5 nor null (which Number() would take for 0) starts with a digit.
  if (!isDigit(json.charCodeAt(0))) return Number.NaN;
  const value = Number(json);
  return Math.round(value < MILLISECONDS_FROM ? value * 1000 : value);
}

/** Parses `date-time` of RFC 3339 §5.6, a zone included. Not a number when it is none. */
function rfc3339Ms(text: string): number {
  const match = RFC_3339.exec(text);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour, minute, second, fraction, zone = ''] = match;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  // Date.UTC turns February 30 into March 2, and years below 100 into 1900 to 1999.
  const isDate =
    date.getUTCFullYear() === Number(year) &&
    date.getUTCMonth() + 1 === Number(month) &&
    date.getUTCDate() === Number(day);
  // A leap second (60) counts as the first second of the next minute, as in POSIX.
  const isTime = Number(hour) <= 23 && Number(minute) <= 59 && Number(second) <= 60;
  if (!isDate || !isTime) return Number.NaN;
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  const fractionMs = Math.round(Number(`0${fraction ?? ''}`) * 1000);
  return date.getTime() + seconds * 1000 + fractionMs - zoneMs(zone);
}

/** Offset of a zone, `Z` or `+hh:mm`, from UTC. Not a number when it is none. */
function zoneMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

const RFC_3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})$/u;
