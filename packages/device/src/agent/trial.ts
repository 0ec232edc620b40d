/** Decides whether a new image is good: it reaches the server, and passes the local checks. @module */
import type { Clock } from '../clock.ts';
import { TRIAL_PAUSE_MS, TRIAL_WAITING_PAUSE_MS } from './limits.ts';
import type { LocalCheck } from './local-check.ts';

/** How long a trial takes, all in milliseconds. */
export interface TrialBounds {
  /** To connect and to pass the checks. */
  readonly withinMs: number;
  /** The least time before an image is good. */
  readonly steadyMs: number;
  /** What happens when the image before could not connect either. */
  readonly offline: 'wait' | 'revert';
  /** To connect, in that case. */
  readonly offlineMs: number;
}

/** What a trial needs. */
export interface TrialDeps {
  readonly clock: Clock;
  readonly bounds: TrialBounds;
  readonly checks: readonly LocalCheck[];
  /** Whether the image before could connect, shortly before the restart. */
  readonly couldConnect: boolean;
  /** Resolves when the server has answered on an authenticated connection. */
  readonly connect: (signal: AbortSignal) => Promise<void>;
  /** Whether a person on the device said that the image is good: no connection is needed then. */
  readonly isApproved: () => boolean;
  /** Called now and then while the trial goes on beyond `withinMs`. */
  readonly onWaiting: () => void;
}

/** How it ended. */
export type TrialResult =
  | { readonly result: 'good' }
  | { readonly result: 'bad'; readonly why: string };

/**
 * Runs a trial. What fails is tried again until its time is over: programs of a new image may
 * need a while to start.
 */
export async function runTrial(deps: TrialDeps): Promise<TrialResult> {
  const { clock, bounds, onWaiting } = deps;
  const beganMs = clock.monotonicMs();
  for (;;) {
    const attempt = await attemptOnce(deps, beganMs);
    const elapsedMs = clock.monotonicMs() - beganMs;
    if (attempt === undefined && elapsedMs >= bounds.steadyMs) return { result: 'good' };
    if (attempt !== undefined && elapsedMs >= attempt.withinMs) {
      return { result: 'bad', why: `${attempt.why}, for ${Math.round(elapsedMs / 1000)} s` };
    }
    const isWaiting = elapsedMs >= bounds.withinMs;
    if (isWaiting) onWaiting();
    const endMs = attempt?.withinMs ?? bounds.steadyMs;
    const pauseMs = isWaiting ? TRIAL_WAITING_PAUSE_MS : TRIAL_PAUSE_MS;
    await pause(clock, Math.min(pauseMs, Math.max(0, endMs - elapsedMs)));
  }
}

/** What did not pass, and how long it may go on so. */
interface Failure {
  readonly why: string;
  readonly withinMs: number;
}

async function attemptOnce(deps: TrialDeps, beganMs: number): Promise<Failure | undefined> {
  const { clock, bounds, checks, couldConnect, isApproved, connect } = deps;
  const { withinMs, offline, offlineMs } = bounds;
  const leftMs = (ofMs: number): number => Math.max(1, ofMs - (clock.monotonicMs() - beganMs));
  for (const check of checks) {
    // While it waits for the server, a check keeps its own time limit only.
    const limitMs = Math.min(check.withinMs, Math.max(leftMs(withinMs), TRIAL_PAUSE_MS));
    const failed = await inTime(clock, { ms: limitMs, run: (signal) => check.run(signal) });
    if (failed !== undefined) {
      return { why: `the check "${check.name}" does not pass: ${failed}`, withinMs };
    }
  }
  if (isApproved()) return undefined;
  const isPatient = !couldConnect && offline === 'wait';
  const boundMs = isPatient ? Math.max(withinMs, offlineMs) : withinMs;
  const failed = await inTime(clock, { ms: leftMs(boundMs), run: connect });
  if (failed === undefined) return undefined;
  return { why: `the server cannot be reached: ${failed}`, withinMs: boundMs };
}

/** Undefined when it succeeds in time, else what it failed of. */
async function inTime(
  clock: Clock,
  { ms, run }: { readonly ms: number; readonly run: (signal: AbortSignal) => Promise<void> },
): Promise<string | undefined> {
  const abort = new AbortController();
  let cancel = (): void => {};
  const late = new Promise<string>((resolve) => {
    cancel = clock.after(ms, () => {
      resolve('no answer in time');
      abort.abort();
    });
  });
  const done = run(abort.signal).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : 'it failed'),
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    cancel();
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
