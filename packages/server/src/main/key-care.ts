/** Keeps the keys young while the server runs, and rotates the key-encryption key. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { RecordAct } from '../audit/index.ts';
import { STOP_WAIT_MS_MAX } from '../backup/index.ts';
import { type CancelTimer, type Clock, type Log, sleep, systemClock } from '../kernel/index.ts';
import type { EscrowFacts, KeyCare, KeyFacts } from '../operate/index.ts';
import type { SealedStore } from '../persistence/index.ts';
import type { DeviceRegistry } from '../registry/index.ts';
import { scrub } from './erase-device.ts';
import { KEY_CHECK_MS, KEY_STEP_PAUSE_MS, RENEWED_DEVICES_MAX } from './limits.ts';

/** What the care of the keys needs. */
export interface RunningKeyCareDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: SealedStore;
  readonly registry: Pick<DeviceRegistry, 'all' | 'renewContentKeys'>;
  readonly recordAct: RecordAct;
  /** Brings the wrapped keys to all backups; gives the destinations that it has not reached. */
  readonly bringKeys: () => Promise<readonly string[]>;
  readonly custodyName: string;
  readonly escrow: () => EscrowFacts | undefined;
}

/** Purposes whose key is replaced by age; that of backups is not, or each would be a whole one. */
const RENEWED_BY_AGE = ['acts', 'refusals', 'layouts', 'records'] as const;

/**
 * Looks after the keys, one thing at a time and in small steps: what is worn or old is replaced,
 * and a rotation is brought to its end, also one that a crash has stopped.
 */
export class RunningKeyCare implements KeyCare {
  readonly #deps: RunningKeyCareDeps;
  #turn: Promise<void> = Promise.resolve();
  #isBusy = false;
  #isWanted = false;
  #isStopped = false;
  #cancelTick: CancelTimer = () => {};
  #waitsFor: readonly string[] = [];

  constructor(deps: RunningKeyCareDeps) {
    this.#deps = deps;
  }

  /** Begins to look now, and every minute. */
  start(): void {
    this.#look();
    this.#cancelTick = this.#deps.clock.after(KEY_CHECK_MS, () => this.start());
  }

  /** Ends after the step under way, or does not wait longer for it; the next start goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick();
    await Promise.race([this.#turn, sleep(systemClock, STOP_WAIT_MS_MAX)]);
  }

  facts(): KeyFacts {
    const { store, custodyName, escrow } = this.#deps;
    const { keks } = store.keyring;
    const isRotating = keks.isRotating || keks.hasLeftovers;
    return {
      custody: { name: custodyName, isInToken: keks.isInToken },
      escrow: escrow(),
      versions: store.census.versions(),
      purposes: store.census.purposes(),
      rotation: isRotating ? { waitsFor: this.#waitsFor } : undefined,
    };
  }

  summary(): { isRecoverable: boolean; isRotating: boolean } {
    const { keks } = this.#deps.store.keyring;
    const isRecoverable = keks.isInToken || this.#deps.escrow() !== undefined;
    return { isRecoverable, isRotating: keks.isRotating };
  }

  whyNotRotate(): Refusal | undefined {
    const { keks } = this.#deps.store.keyring;
    if (!keks.isRotating && !keks.hasLeftovers) return undefined;
    const detail = 'A rotation of the keys is under way: see holdfast keys status.';
    return refuse('E_OPERATE_CONFLICT', detail);
  }

  rotate(): number {
    const { store, clock } = this.#deps;
    const version = store.keyring.keks.add(clock.nowMs());
    this.#waitsFor = [];
    this.#look();
    return version;
  }

  #look(): void {
    if (this.#isStopped) return;
    this.#isWanted = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#turn = this.#careAll().finally(() => {
      this.#isBusy = false;
    });
  }

  async #careAll(): Promise<void> {
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false;
      try {
        await this.#care();
      } catch (error) {
        // A disk that fails, or a token that is away: it is tried again in a minute.
        const event = { 'event.action': 'key-care', 'event.outcome': 'failure' };
        this.#deps.log.error({ ...event, 'error.message': String(error) }, 'keys wait for care');
      }
    }
  }

  async #care(): Promise<void> {
    const { store } = this.#deps;
    // A reader kept what was erased in the write-ahead log; it has let go since, or will have.
    if (!store.isScrubbed) store.scrub();
    store.keyring.reserveAhead();
    await this.#renewPurposes();
    await this.#renewDevices();
    await this.#resealRecords();
    await this.#finishRotation();
  }

  async #renewPurposes(): Promise<void> {
    const { keyring } = this.#deps.store;
    for (const purpose of RENEWED_BY_AGE) {
      if (!keyring.isDue(keyring.only(purpose).ref)) continue;
      keyring.renew(purpose);
      await this.#record(purpose, 1);
    }
    if (!keyring.isWorn(keyring.only('backup').ref)) return;
    keyring.renew('backup');
    await this.#record('backup', 1);
  }

  async #renewDevices(): Promise<void> {
    const { store, registry } = this.#deps;
    const due = new Set(store.keyring.due());
    if (due.size === 0) return;
    const ids = registry
      .all()
      .filter(({ contentKeyRef }) => due.has(contentKeyRef))
      .map(({ id }) => id);
    for (let at = 0; at < ids.length && !this.#isStopped; at += RENEWED_DEVICES_MAX) {
      const renewed = registry.renewContentKeys(ids.slice(at, at + RENEWED_DEVICES_MAX));
      await this.#record('device', renewed.length);
      await pause();
    }
  }

  async #resealRecords(): Promise<void> {
    const resealing = this.#deps.store.resealing();
    if (!resealing.isNeeded) return;
    while (!this.#isStopped && resealing.step()) await pause();
  }

  async #finishRotation(): Promise<void> {
    const { store, bringKeys, recordAct } = this.#deps;
    const { keks } = store.keyring;
    if (keks.isRotating) {
      const rotation = store.rotation();
      do {
        // A key that was made meanwhile is under the new version; one that was passed over is found.
        while (!this.#isStopped && rotation.step()) await pause();
        if (this.#isStopped) return;
      } while (rotation.finish() > 0);
      const { version } = keks.current;
      const isScrubbed = await scrub(store, systemClock);
      await recordAct({
        action: 'keys.retire',
        principal: 'server',
        facts: { version, isScrubbed },
      });
      this.#waitsFor = await bringKeys();
    } else if (keks.hasLeftovers) {
      this.#waitsFor = await bringKeys();
    }
    // A backup that has not been reached opens by the version before: in a token there is no copy.
    if (this.#waitsFor.length === 0) keks.destroyLeftovers();
  }

  #record(purpose: string, count: number): Promise<void> {
    return this.#deps.recordAct({
      action: 'keys.renew',
      principal: 'server',
      facts: { purpose, count },
    });
  }
}

/** Lets messages pass. The machine's own clock: this is about its time, not the time of day. */
function pause(): Promise<void> {
  return sleep(systemClock, KEY_STEP_PAUSE_MS);
}
