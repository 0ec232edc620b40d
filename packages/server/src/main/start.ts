/** Starts the server: the table of contents of the product, in the order of the flow. @module */
import { systemClock } from '../kernel/index.ts';
import { checkRollback, settleRollback } from './check-rollback.ts';
import { type StartOptions, type Undo, openContext } from './context.ts';
import { removeLocalAccess, writeLocalAccess } from './data-folder.ts';
import { type ServerFacts, openDoors } from './doors.ts';
import { openFlow } from './flow.ts';
import { watchLog } from './log-watch.ts';
import { createMetrics } from './metrics.ts';
import { recordOfflineActs } from './offline-acts.ts';
import { openFigures } from './open-figures.ts';
import { openSeries } from './open-series.ts';
import { startPolicy } from './start-policy.ts';
import { type Stopped, stop } from './stop.ts';
import { openAudit, openRegistries, openStorage } from './storage.ts';
import { startUpkeep } from './upkeep.ts';

/** A server that runs. */
export interface RunningServer {
  /** True when the data folder was made just now. */
  readonly isNew: boolean;
  readonly info: ServerFacts;
  /** The one-time code of the first operator, until there is one. */
  readonly firstCode: string | undefined;
  /** The page where they show it, as a link; what is behind its `#` is sent to nobody. */
  readonly firstLink: string | undefined;
  /** Ends every connection and stores what is pending, for which it waits `STOP_TIMEOUT_MS`. */
  stop(): Promise<Stopped>;
}

/**
 * Starts the server.
 * @throws Fault with what, why and how to fix it, when a port is taken, the data folder is in use,
 *   or a key is missing. Nothing stays open then.
 */
export async function start(options: StartOptions): Promise<RunningServer> {
  const undo: Undo[] = [];
  try {
    return await startAll(options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

async function startAll(options: StartOptions, undo: Undo[]): Promise<RunningServer> {
  const context = openContext(options, (step) => undo.push(step));
  const metrics = createMetrics();

  // What is kept, under which keys, and who exists.
  const storage = await openStorage(context);
  const registries = openRegistries(context, storage);

  // Neither registry nor log is an older copy: each one knows how far the other had come.
  const lastRun = checkRollback(context, storage);

  // The log on which everything is put.
  const { registry, people } = registries;
  const audit = await openAudit(context, storage, { registry, metrics });

  await settleRollback(lastRun, context, { ...storage, ...audit });
  const logWatch = watchLog(context, storage, { ...audit, lastRun });

  // What numbers devices sent, out of the log.
  const { series, close: closeSeries } = openSeries(context, storage, { ...registries, ...audit });

  // Who may do what.
  await startPolicy(registries.policies, { ...audit, log: context.log });

  // The way of a message: wire, session, authorize, verify, journal, route.
  const parts = { ...storage, ...registries, ...audit, series, metrics };
  const flow = await openFlow(context, parts);

  // What is counted, over time.
  const counted = openFigures(context, { ...parts, ...flow });

  // The doors: the broker, enrollment, and the API.
  const localToken = people.renewLocalToken();
  const firstCode = people.renewFirstCode();
  const doors = await openDoors(context, { ...parts, ...flow, ...counted });

  const { folder, identity } = storage;
  const writeAccess = (): void =>
    writeLocalAccess(folder, {
      version: 1,
      url: doors.localApi,
      token: localToken.expose(),
      anchorPem: identity.authority.anchorPem,
      pin: doors.facts.pins.certificate,
    });
  writeAccess();
  identity.keeper.onChange(writeAccess);
  context.onUndo(() => removeLocalAccess(folder));
  await recordOfflineActs(folder, audit.recordAct);
  const { version } = doors.facts;
  // Whose word the addresses on the log rest on from here on.
  const facts = { version, proxyFrom: options.proxyFrom?.join(' ') };
  await audit.recordAct({ action: 'server.start', principal: 'server', facts });
  const { keeper } = identity;
  const stopUpkeep = startUpkeep({ ...context, ...registries, ...audit, keeper });
  context.onUndo(stopUpkeep);
  return {
    isNew: folder.isNew,
    info: doors.facts,
    firstCode: firstCode?.expose(),
    firstLink: firstCode && `${doors.site}/sign-in#first=${firstCode.expose()}`,
    // The machine's own clock: a test's may stand still, and whoever stops waits on no other.
    stop: () => {
      stopUpkeep();
      const running = {
        ...storage,
        ...audit,
        ...flow,
        ...doors,
        logWatch,
        series: { close: closeSeries },
        lastSeen: registries.lastSeen,
        figures: counted.figures,
      };
      return stop(running, { clock: systemClock, log: context.log });
    },
  };
}
