/** Runs a simulation: enrolls who is missing, connects, shows, and stops. @module */
import type { Client } from '@holdfast/client';
import { countText } from '../device-selection.ts';
import { Failure, asFailure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { progressOn } from '../progress.ts';
import { withStepUp } from '../step-up.ts';
import type { World } from '../world.ts';
import { claimFleet, enrollFleet } from './enroll-fleet.ts';
import { Fleet } from './fleet.ts';
import { KINDS } from './kinds.ts';
import { LATE_MARGIN_MS } from './limits.ts';
import { type PreparedFleet, prepareFleet } from './prepare-fleet.ts';
import { RefusalTally } from './refusal-tally.ts';
import { type Figures, figuresJson, lineText, misbehavingText, removalCommand } from './screen.ts';
import { FleetDisplay } from './show-fleet.ts';
import type { Wish } from './wish.ts';

const HOUR_MS = 3_600_000;

/** How a simulation is run. */
export interface RunOptions {
  readonly wish: Wish;
  /** The data folder of the server, as it was given. */
  readonly data: string | undefined;
  readonly isJson: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Runs a simulation until the signal aborts. */
export async function runFleet(
  world: World,
  client: Client,
  { wish, data, isJson, signal }: RunOptions,
): Promise<void> {
  const prepared = await prepareFleet(world, client, wish);
  const { folder, devices, missing } = prepared;
  folder.make();
  const unlock = folder.lock();
  try {
    folder.keepRun(prepared.run);
    tellStart(world, prepared, wish);
    const sdk = await world.device();
    if (!(await enrollMissing(world, prepared, { sdk, data, signal }))) return;
    const lateHours = (await client.deviceClass(KINDS[wish.kind].class)).lateHours;
    const lateMaxMs = Math.max(0, lateHours * HOUR_MS - LATE_MARGIN_MS);
    const { seed, periodMs, hasOutages } = wish;
    const zoneOffsetMs = zoneOffset(world);
    const fleet = new Fleet({
      sdk,
      folder,
      devices,
      seed,
      zoneOffsetMs,
      nowMs: world.nowMs,
      periodMs,
      lateMaxMs,
      hasOutages,
    });
    await present(world, client, {
      fleet,
      prepared,
      missing,
      wish,
      data,
      lateMaxMs,
      isJson,
      signal,
    });
  } finally {
    unlock();
  }
}

function tellStart({ stderr }: World, prepared: PreparedFleet, { misbehave }: Wish): void {
  const { devices, missing, retiredCount, folder } = prepared;
  const again = devices.length - missing.length;
  if (again > 0) stderr.write(`Going on with ${countText(again)} simulated before.\n`);
  if (retiredCount > 0) stderr.write(`${countText(retiredCount)} retired meanwhile stay away.\n`);
  if (missing.length > 0) {
    stderr.write(`Enrolling ${countText(missing.length)}; their keys go to ${folder.path}\n`);
  }
  if (misbehave > 0) {
    const misbehaving = devices.filter(({ misdeed }) => misdeed !== undefined);
    stderr.write(`These misbehave on purpose:\n${misbehavingText(misbehaving)}`);
  }
}

/** @returns false when it was stopped before all were enrolled. */
async function enrollMissing(
  world: World,
  { missing, known, folder }: PreparedFleet,
  {
    sdk,
    data,
    signal,
  }: { sdk: Awaited<ReturnType<World['device']>>; data: string | undefined; signal: AbortSignal },
): Promise<boolean> {
  if (missing.length === 0) return true;
  const progress = progressOn(world.stderr);
  const startedMs = performance.now();
  let enrolled = 0;
  const onEnrolled = (): void => {
    enrolled += 1;
    progress.bar(enrolled, missing.length, `enrolled ${enrolled} of ${missing.length}`);
  };
  const claimed = await withStepUp(world, data, (client) => claimFleet(client, missing, known));
  try {
    await enrollFleet(claimed, { sdk, folder, onEnrolled, signal });
  } catch (error) {
    throw interrupted(error, `${enrolled} of ${countText(missing.length)} are enrolled.`);
  } finally {
    progress.clear();
  }
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  if (enrolled < missing.length) {
    world.stderr.write(
      `Stopped: ${enrolled} of ${countText(missing.length)} are enrolled.\n` +
        `Run it again to go on, or take them away: ${removalCommand(data)}\n`,
    );
    return false;
  }
  world.stderr.write(`${countText(enrolled)} enrolled in ${seconds} s.\n`);
  return true;
}

/** What was done is kept: the next run goes on with it. */
function interrupted(cause: unknown, done: string): Failure {
  const { code, message, why, exitCode } = asFailure(cause);
  const fix = 'Run it again: it goes on with those that are missing.';
  return new Failure(code, { what: `${message}\n${done}`, why, fix, exitCode, cause });
}

interface Presented {
  readonly fleet: Fleet;
  readonly prepared: PreparedFleet;
  readonly missing: PreparedFleet['missing'];
  readonly wish: Wish;
  readonly data: string | undefined;
  readonly lateMaxMs: number;
  readonly isJson: boolean;
  readonly signal: AbortSignal;
}

async function present(world: World, client: Client, presented: Presented): Promise<void> {
  const { fleet, prepared, wish, data, isJson, signal } = presented;
  const { devices } = prepared;
  const ids = new Set(devices.map(({ id }) => id));
  const tally = new RefusalTally((id) => ids.has(id));
  const ending = new AbortController();
  const following = tally.follow(client, ending.signal).catch((error: unknown) => {
    const { message } = asFailure(error);
    world.stderr.write(`What the server refuses cannot be shown: ${printable(message)}\n`);
  });
  try {
    await backfill(world, presented);
    const { api } = await client.server();
    const display = new FleetDisplay(world, {
      counts: fleet.counts,
      tally,
      devices: devices.length,
      isJson,
      facts: {
        kind: wish.kind,
        console: `${api}/devices`,
        misbehaving: devices.filter(({ misdeed }) => misdeed !== undefined),
        removal: removalCommand(data),
      },
    });
    if (!signal.aborted) fleet.start();
    const { forMs } = wish;
    // Counted from here: enrolling takes as long as it takes.
    const over = forMs === undefined ? [] : [AbortSignal.timeout(forMs)];
    await display.until(AbortSignal.any([signal, ...over]));
    const { figures } = display;
    await fleet.stop();
    tellEnd(world, figures, { isJson, removal: removalCommand(data) });
  } finally {
    await fleet.stop();
    ending.abort();
    await following;
  }
}

function tellEnd(
  { stdout, stderr, nowMs }: World,
  figures: Figures,
  { isJson, removal }: { isJson: boolean; removal: string },
): void {
  if (isJson) stdout.write(jsonLine(figuresJson(figures, new Date(nowMs()).toISOString())));
  else if (!stdout.isTty) stdout.write(lineText(figures));
  stderr.write(
    'Stopped. The devices stay, offline: the same command goes on with them.\n' +
      `To take them away: ${paintFor(stderr).command(removal)}\n`,
  );
}

/** Gives devices that are new a history, as far back as the class takes it. */
async function backfill(
  { stderr }: World,
  { fleet, missing, wish, lateMaxMs, signal }: Presented,
): Promise<void> {
  if (wish.backfillMs === undefined || missing.length === 0) return;
  const spanMs = Math.min(wish.backfillMs, lateMaxMs);
  if (spanMs === 0) {
    stderr.write(
      'No history: the class takes no late messages (holdfast class set --late-hours).\n',
    );
    return;
  }
  const hours = (spanMs / HOUR_MS).toFixed(1);
  const progress = progressOn(stderr);
  let done = 0;
  const onDone = (): void => {
    done += 1;
    progress.bar(done, missing.length, `history of ${done} of ${countText(missing.length)}`);
  };
  const startedMs = performance.now();
  const stop = (): void => void fleet.stop();
  signal.addEventListener('abort', stop, { once: true });
  await fleet.backfill(
    missing.map(({ id }) => id),
    { spanMs, onDone },
  );
  signal.removeEventListener('abort', stop);
  progress.clear();
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  stderr.write(
    `A history of ${hours} hours, ${fleet.counts.keptBefore} readings marked late, in ${seconds} s.\n`,
  );
}

/** How far the time zone of this machine is ahead of UTC now. */
function zoneOffset({ nowMs, timeZone }: World): number {
  const now = Temporal.Instant.fromEpochMilliseconds(nowMs()).toZonedDateTimeISO(timeZone);
  return now.offsetNanoseconds / 1e6;
}
