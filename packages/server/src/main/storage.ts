/** What is kept, and the log on which everything is put. @module */
import type { Entry } from '@holdfast/protocol';
import { type CheckpointVerifier, Problem } from '@holdfast/protocol/merkle';
import {
  LastVerification,
  LogTiles,
  type RecordAct,
  type RecordEvent,
  Witnesses,
  actEntry,
  checkpointVerifier,
  eventEntry,
} from '../audit/index.ts';
import { type DiskWatch, Journal, RefusalRecorder } from '../journal/index.ts';
import { type FolderLock, SealedStore, lockFolder } from '../persistence/index.ts';
import { Policies } from '../policy/index.ts';
import {
  ClassSettings,
  DeviceApiKeys,
  DeviceRegistry,
  LastSeen,
  Manufacturers,
  Owners,
  PayloadKeySource,
  People,
} from '../registry/index.ts';
import { type Histories, TargetActs, openHistories } from '../telemetry/index.ts';
import type { Context } from './context.ts';
import { type Custody, openCustody } from './custody.ts';
import { type DataFolder, keepVerifierKey, openDataFolder } from './data-folder.ts';
import type { Metrics } from './metrics.ts';
import { type ServerIdentity, TENANT, openServerIdentity } from './server-identity.ts';
import { watchDisk } from './watch-disk.ts';

/** The data folder, opened. */
export interface Storage {
  readonly folder: DataFolder;
  readonly lock: FolderLock;
  readonly store: SealedStore;
  readonly custody: Pick<Custody, 'close' | 'name'>;
  readonly identity: ServerIdentity;
}

/** Opens the data folder, or makes it with all its keys. */
export async function openStorage({
  options,
  clock,
  random,
  names,
  onUndo,
}: Context): Promise<Storage> {
  const folder = openDataFolder(options.dataDir);
  const lock = lockFolder(folder.path);
  onUndo(() => lock.release());
  const custody = await openCustody(folder, { ...options, random });
  onUndo(() => custody.close());
  const store = new SealedStore(folder.registry, custody.keys, { clock });
  onUndo(() => store.close());
  const identity = openServerIdentity(store, {
    clock,
    random,
    names: names.certificateNames,
    custody: custody.issuing,
    custodyName: custody.name,
  });
  keepVerifierKey(folder, identity.log.verifierKey);
  return { folder, lock, store, custody, identity };
}

/** Who exists. */
export interface Registries {
  readonly registry: DeviceRegistry;
  readonly people: People;
  readonly payloadKeys: PayloadKeySource;
  readonly apiKeys: DeviceApiKeys;
  readonly classSettings: ClassSettings;
  readonly manufacturers: Manufacturers;
  readonly owners: Owners;
  readonly lastSeen: LastSeen;
  readonly policies: Policies;
}

/** Loads the devices and the people. */
export function openRegistries({ clock, random }: Context, { store }: Storage): Registries {
  const registry = new DeviceRegistry(store, { clock });
  const owners = new Owners(store, { clock, random });
  owners.onChange(({ deviceId }) => {
    if (deviceId !== undefined) registry.announce(deviceId);
  });
  return {
    registry,
    apiKeys: new DeviceApiKeys(store, { clock, random, registry }),
    classSettings: new ClassSettings(store),
    manufacturers: new Manufacturers(store, { clock, registry }),
    people: new People(store, { clock, random }),
    payloadKeys: new PayloadKeySource(store.keyring, { tenant: TENANT }),
    owners,
    lastSeen: new LastSeen(store, { clock, columns: registry.columns }),
    policies: new Policies(store, { clock, ownerOf: (deviceId) => owners.ownerOf(deviceId) }),
  };
}

/** The audit log as the other parts see it. */
export interface Audit {
  readonly journal: Journal;
  readonly refusals: RefusalRecorder;
  readonly recordAct: RecordAct;
  readonly recordEvent: RecordEvent;
  /** The tree of the log. */
  readonly tiles: LogTiles;
  readonly witnesses: Witnesses;
  readonly lastVerification: LastVerification;
  readonly histories: Histories;
  /** The acts on one device or another thing. */
  readonly targetActs: TargetActs;
  readonly disk: DiskWatch;
}

/** Opens the audit log. */
export async function openAudit(
  { options, clock, log, onUndo }: Context,
  { folder, store, identity }: Storage,
  { registry, metrics }: { registry: DeviceRegistry; metrics: Metrics },
): Promise<Audit> {
  const { onFatal = () => {} } = options;
  const { keyring, state } = store;
  const journal = await Journal.open({
    path: folder.log,
    statePath: folder.broker,
    ...identity.log,
    keyring,
    clock,
    log,
    onFatal,
  });
  onUndo(() => journal.close());
  const tiles = LogTiles.open(folder.log);
  onUndo(() => tiles.close());
  const targetActs = new TargetActs({ journal, keys: () => keyring.all('acts') });
  const record = async (entry: Entry, act: Parameters<TargetActs['note']>[0]): Promise<void> => {
    const key = keyring.only('acts');
    targetActs.note(act, { index: await journal.record(entry, key), keyRef: key.ref });
  };
  const recordEvent: RecordEvent = (event) =>
    record(eventEntry(event, clock.nowMs(), state.generation), event);
  const { path } = folder;
  const reserveBytes = options.diskReserveBytes;
  const disk = await watchDisk({ path, reserveBytes, journal, log, metrics, recordEvent });
  onUndo(() => disk.close());
  return {
    journal,
    refusals: new RefusalRecorder({
      journal,
      key: () => keyring.only('refusals'),
      clock,
      log,
      count: metrics.countRefusal,
    }),
    recordAct: (act) => record(actEntry(act, clock.nowMs(), state.generation), act),
    recordEvent,
    disk,
    tiles,
    lastVerification: new LastVerification(store, { clock }),
    witnesses: new Witnesses(store, {
      clock,
      verifier: ownVerifier(identity),
      tiles,
      logSize: () => journal.size,
    }),
    histories: openHistories({ journal, registry, keyring }),
    targetActs,
  };
}

function ownVerifier({ log }: ServerIdentity): CheckpointVerifier {
  const verifier = checkpointVerifier(log.verifierKey);
  if (verifier instanceof Problem) throw new Error(verifier.problem);
  return verifier;
}
