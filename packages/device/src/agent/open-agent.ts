import { spawn } from 'node:child_process';
/** Puts an agent together of its configuration. @module */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '../bundle.ts';
import { type Clock, systemClock, systemRandom } from '../clock.ts';
import { DeviceError } from '../device-error.ts';
import { connect } from '../device.ts';
import type { CallTarget } from '../https-call.ts';
import { enrollmentTarget } from '../renewal.ts';
import { lockFolder } from '../store/folder-lock.ts';
import { PinnedFetch } from '../update/pinned-fetch.ts';
import { agentDisk } from './agent-disk.ts';
import { onWakeRequest, takeRequest } from './agent-requests.ts';
import type { AgentSettings, CommandLine } from './agent-settings.ts';
import { FirmwareSource } from './firmware-source.ts';
import { Installer } from './installer.ts';
import { LAST_REPORTS_MS_MAX } from './limits.ts';
import { openSlots } from './open-slots.ts';
import { ReportSender } from './report-sender.ts';
import { slotsError } from './slots.ts';
import { runTrial } from './trial.ts';
import { UpdateAgent } from './update-agent.ts';
import { UpdateJournal } from './update-journal.ts';
import { HttpsUpdateServer } from './update-server.ts';

/** What an agent is opened with beside its configuration. */
export interface OpenAgentOptions {
  /** Restarts the supervised program; without it the device is restarted by its command. */
  readonly restartProgram?: (() => void) | undefined;
  /** Called now and then while a trial waits for the server. */
  readonly onWaiting?: (() => void) | undefined;
  /** One sentence for the log. */
  readonly say: (line: string) => void;
}

/** An agent, and what it was made of. */
export interface OpenedAgent {
  readonly agent: UpdateAgent;
  readonly journal: UpdateJournal;
  /** Asks the server what is assigned, and checks it, and changes nothing. */
  readonly check: () => Promise<string | undefined>;
  close(): Promise<void>;
}

/**
 * Opens the agent of a device; nothing is done before {@link UpdateAgent.run} or `once`.
 * @throws DeviceError `E_DEVICE_AGENT_BUSY` when another process has it, `E_DEVICE_BUNDLE`,
 *   `E_DEVICE_MODE`
 */
export function openAgent(settings: AgentSettings, options: OpenAgentOptions): OpenedAgent {
  const { state, trial: bounds, checks } = settings;
  const { say } = options;
  const clock = systemClock;
  const unlock = lockState(state);
  const target = enrollmentTargetOf(settings);
  const fetch = new PinnedFetch(target);
  const journal = openJournal(settings, say);
  const server = new HttpsUpdateServer({ fetch, clock }, target);
  const source = firmwareSource(settings, { fetch, clock, say });
  const reports = new ReportSender(journal, {
    server,
    onFailure: (error) => say(`Reports wait: ${wordsOf(error)}`),
  });
  const connectOnce = (signal?: AbortSignal): Promise<void> => server.reach(signal);
  const installer = new Installer({
    journal,
    slots: openSlots(settings.slots),
    disk: agentDisk,
    source,
    staging: join(state, 'download'),
    tries: settings.tries,
    sameCounter: settings.sameCounter,
    canConnect: () =>
      connectOnce().then(
        () => true,
        () => false,
      ),
    trial: (couldConnect) => {
      say(`The new image is on trial for ${bounds.withinMs / 1000} s.`);
      // What a person said of an image before is no word about this one.
      takeRequest(state, 'confirm');
      let isApproved = false;
      return runTrial({
        clock,
        bounds,
        checks,
        couldConnect,
        connect: connectOnce,
        isApproved: () => (isApproved ||= takeRequest(state, 'confirm')),
        onWaiting: options.onWaiting ?? (() => {}),
      });
    },
    restart: async () => {
      await inTime(clock, reports.flush());
      say('Restarting.');
      await restartOf(settings, options)();
    },
  });
  const agent = new UpdateAgent({
    clock,
    random: systemRandom,
    journal,
    installer,
    server,
    source,
    reports,
    onFailure: (error, retryInMs) =>
      say(`${wordsOf(error)} Next attempt in ${Math.ceil(retryInMs / 1000)} s.`),
  });
  // It renews the certificate, keeps the pins, and lets people see that the device is online.
  const device =
    settings.connection === 'mqtt'
      ? connect({ bundle: settings.bundle, buffer: false })
      : undefined;
  device?.onUpdateNotice(() => agent.wake());
  const unwatch = onWakeRequest(state, () => agent.wake());
  return {
    agent,
    journal,
    check: async () => {
      await server.poll();
      return (await source.check(journal.record.confirmed.counter))?.release.id;
    },
    async close() {
      agent.stop();
      unwatch();
      fetch.close();
      await device?.close();
      unlock();
    },
  };
}

/**
 * The bundle is read again for each call: it may have been renewed, here or by another program. As
 * long as it was not, the target is the same object, so that a connection is used again.
 */
export function enrollmentTargetOf({ bundle }: Pick<AgentSettings, 'bundle'>): () => CallTarget {
  let last: { readonly seen: string; readonly target: CallTarget } | undefined;
  return () => {
    const target = enrollmentTarget(loadBundle(bundle));
    const seen = JSON.stringify([target.peer, target.pins, target.identity.certificatePem]);
    if (last?.seen !== seen) last = { seen, target };
    return last.target;
  };
}

function openJournal({ state, image, hardware }: AgentSettings, say: OpenAgentOptions['say']) {
  const path = join(state, 'journal');
  const journal = new UpdateJournal(agentDisk, { path, factory: image, hardware });
  if (journal.recovered === 'from-copy')
    say('A copy of the journal was torn; the other one counts.');
  if (journal.recovered === 'anew') {
    say('The journal was damaged: the image of the configuration counts as confirmed.');
  }
  return journal;
}

function firmwareSource(
  { state, roots, hardware, bundle }: AgentSettings,
  { fetch, clock, say }: { fetch: PinnedFetch; clock: Clock; say: OpenAgentOptions['say'] },
): FirmwareSource {
  const { device: id, certificate } = loadBundle(bundle);
  let told = 0;
  return new FirmwareSource({
    folder: join(state, 'metadata'),
    imageRoot: readFileSync(roots.image),
    directorRoot: readFileSync(roots.director),
    fetch,
    hardware,
    clock,
    device: { id, certifiedFromMs: certificate.validFromDate.getTime() },
    onProgress: ({ bytes, length }) => {
      const tenth = Math.floor((bytes / length) * 10);
      if (tenth !== told) say(`Downloaded ${tenth * 10} % of ${length} bytes.`);
      told = tenth;
    },
  });
}

function restartOf({ slots }: AgentSettings, { restartProgram }: OpenAgentOptions) {
  if (restartProgram !== undefined) return () => Promise.resolve(restartProgram());
  if (slots.kind !== 'directory') return () => runCommand(slots.restart);
  throw slotsError('Nobody supervises the program, so it cannot be restarted', {
    fix: 'Start the agent with its program: holdfast-agent run --config <file> -- <command>.',
  });
}

function runCommand([program, ...args]: CommandLine): Promise<void> {
  return new Promise((resolve, reject) => {
    const fix = 'Check "restart" in the configuration, and restart the device by hand.';
    const fail = (cause: unknown): void =>
      reject(slotsError(`${program} does not restart the device`, { fix, cause }));
    const child = spawn(program, args, { stdio: 'inherit' });
    child.on('error', fail);
    child.on('exit', (code) => (code === 0 ? resolve() : fail(code)));
  });
}

function lockState(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    return lockFolder(folder);
  } catch (cause) {
    if (!(cause instanceof DeviceError) || cause.code !== 'E_DEVICE_STORE_BUSY') throw cause;
    throw new DeviceError('E_DEVICE_AGENT_BUSY', {
      message: `Another holdfast-agent runs with ${folder}.`,
      fix: 'Ask it: holdfast-agent status, or holdfast-agent install, which wakes it.',
      cause,
    });
  }
}

async function inTime(clock: Clock, task: Promise<void>): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(LAST_REPORTS_MS_MAX, resolve);
  });
  await Promise.race([task, late]);
  cancel();
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'It failed.';
}
