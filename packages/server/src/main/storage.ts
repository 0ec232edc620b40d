/** What is kept, and the log on which everything is put. @module */
import { type RecordAct, actEntry } from '../audit/index.ts';
import { Journal, RefusalRecorder } from '../journal/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { Policies } from '../policy/index.ts';
import {
  ClassSettings,
  DeviceApiKeys,
  DeviceRegistry,
  Manufacturers,
  Owners,
  PayloadKeySource,
  People,
} from '../registry/index.ts';
import { type Histories, openHistories } from '../telemetry/index.ts';
import type { Context } from './context.ts';
import { type Custody, openCustody } from './custody.ts';
import { type DataFolder, keepVerifierKey, openDataFolder } from './data-folder.ts';
import type { Metrics } from './metrics.ts';
import { type ServerIdentity, TENANT, openServerIdentity } from './server-identity.ts';

/** The data folder, opened. */
export interface Storage {
  readonly folder: DataFolder;
  readonly store: SealedStore;
  readonly custody: Pick<Custody, 'close'>;
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
  const custody = await openCustody(folder, { ...options, random });
  onUndo(() => custody.close());
  const store = new SealedStore(folder.registry, custody.keys);
  onUndo(() => store.close());
  const identity = openServerIdentity(store, {
    clock,
    random,
    names: names.certificateNames,
    custody: custody.issuing,
    custodyName: custody.name,
  });
  keepVerifierKey(folder, identity.log.verifierKey);
  return { folder, store, custody, identity };
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
    policies: new Policies(store, { clock, ownerOf: (deviceId) => owners.ownerOf(deviceId) }),
  };
}

/** The audit log as the other parts see it. */
export interface Audit {
  readonly journal: Journal;
  readonly refusals: RefusalRecorder;
  readonly recordAct: RecordAct;
  readonly histories: Histories;
}

/** Opens the audit log. */
export async function openAudit(
  { options, clock, log, onUndo }: Context,
  { folder, store: { keyring }, identity }: Storage,
  { registry, metrics }: { registry: DeviceRegistry; metrics: Metrics },
): Promise<Audit> {
  const { onFatal = () => {} } = options;
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
  const [actsKey, refusalsKey] = [keyring.only('acts'), keyring.only('refusals')];
  return {
    journal,
    refusals: new RefusalRecorder({
      journal,
      key: refusalsKey,
      clock,
      log,
      count: metrics.countRefusal,
    }),
    recordAct: async (act) => {
      await journal.record(actEntry(act, clock.nowMs()), actsKey);
    },
    histories: openHistories({ journal, registry, keyring, actsKey, refusalsKey }),
  };
}
