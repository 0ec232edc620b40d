/** Repositories in folders of their own, with people who sign, for tests. @module */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  type NamedKey,
  type Proposal,
  type Release,
  type Signer,
  documentsOf,
  firstDocuments,
  lineProposal,
  memorySigner,
  releaseId,
  signRequest,
} from '@holdfast/firmware';
import { type DeviceId, Refusal, parseDeviceId } from '@holdfast/protocol';
import type { Act, ServerEvent } from '../audit/index.ts';
import { folderBucket } from '../buckets/index.ts';
import { type Clock, Secret, createLog, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { DeviceColumns } from '../registry/index.ts';
import type { OnlineRole } from './online-keys.ts';
import type { RequestStanding } from './repository/signing-requests.ts';
import { type UpdateParts, openUpdateParts } from './update-parts.ts';

/** The value, when it is no refusal. */
export function present<T>(value: T | Refusal | undefined): T {
  if (value instanceof Refusal) throw new Error(`${value.code}: ${value.detail}`);
  if (value === undefined) throw new Error('it is not there');
  return value;
}

export function deviceId(text: string): DeviceId {
  return present(parseDeviceId(text));
}

/** A clock that is set by hand; nothing runs by it. */
export class UpdateClock implements Clock {
  ms = Date.UTC(2026, 10, 21, 12);

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  after(): () => void {
    return () => {};
  }
}

/** Somebody with a key. */
export interface Person extends NamedKey {
  readonly signer: Signer;
}

export function person(name: string): Person {
  const signer = memorySigner(generateKeyPairSync('ed25519').privateKey);
  return { name, key: signer.key, signer };
}

/** What is opened, with the store that it stands in. */
export type LabParts = UpdateParts & { readonly store: SealedStore };

/** What a server has of updates, on a data folder that stays when it is opened again. */
export class UpdateLab {
  readonly clock = new UpdateClock();
  readonly acts: Act[] = [];
  readonly events: ServerEvent[] = [];
  /** Damaged chunks that were counted. */
  damages = 0;
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-update-'));
  readonly ann: Person = person('ann');
  readonly bob: Person = person('bob');
  readonly cid: Person = person('cid');
  /** Called before an act counts as recorded; throw to make recording fail. */
  beforeRecord: (act: Act) => void = () => {};
  readonly #unsealKey = new Secret(systemRandom(32));
  #parts: LabParts | undefined;

  constructor(t: TestContext) {
    t.after(() => {
      this.#parts?.store.close();
      rmSync(this.folder, { recursive: true });
    });
  }

  /** The parts, opened at the first call. */
  get parts(): LabParts {
    return this.#parts ?? this.reopen();
  }

  /** Opens them again, as after a crash. */
  reopen(): LabParts {
    this.#parts?.store.close();
    const { clock } = this;
    const custody = { unsealKey: this.#unsealKey, random: systemRandom };
    const store = new SealedStore(join(this.folder, 'registry.db'), custody, { clock });
    const recordAct = (act: Act): Promise<void> => {
      this.beforeRecord(act);
      this.acts.push(act);
      return Promise.resolve();
    };
    const opened = openUpdateParts({
      clock,
      random: systemRandom,
      log: createLog({ form: 'json', level: 'silent', write: () => {} }),
      store,
      recordAct,
      recordEvent: (event) => Promise.resolve(void this.events.push(event)),
      registry: { byId: () => undefined, setBoot: () => {}, columns: new DeviceColumns() },
      manufacturers: { all: () => [] },
      bucket: folderBucket(join(this.folder, 'firmware')),
      countDamage: () => (this.damages += 1),
    });
    const parts = { store, ...opened };
    this.#parts = parts;
    return parts;
  }

  /** Publishes the first roots: ann, bob and cid, two of whom have to sign. */
  async init(lines: readonly string[] = ['thermo']): Promise<void> {
    const people = { keys: [this.ann, this.bob, this.cid], threshold: 2 };
    const release = { keys: [this.ann, this.bob], threshold: 2 };
    const proposals = firstDocuments(
      {
        signers: people,
        lines: new Map(lines.map((line) => [line, release])),
        online: this.online(),
      },
      { nowMs: this.clock.ms },
    );
    await this.publish(proposals);
  }

  /** The newest keys of the server, as roots name them. */
  online() {
    const newest = this.parts.keys.newest();
    const find = (repository: string, role: OnlineRole) =>
      newest.find((one) => one.repository === repository && one.role === role)?.key ??
      assert.fail(role);
    return {
      image: { snapshot: find('image', 'snapshot'), timestamp: find('image', 'timestamp') },
      director: {
        targets: find('director', 'targets'),
        snapshot: find('director', 'snapshot'),
        timestamp: find('director', 'timestamp'),
      },
    };
  }

  /** Makes a request of documents, and has ann and bob sign it. */
  async publish(proposals: readonly Proposal[]): Promise<void> {
    const standing = await this.request(proposals);
    await this.sign(standing, this.ann);
    assert.equal((await this.sign(standing, this.bob)).isPublished, true);
  }

  async request(proposals: readonly Proposal[]): Promise<RequestStanding> {
    return present(await this.parts.releases.makeRequest(documentsOf(proposals), 'person:eve'));
  }

  async sign({ checked }: RequestStanding, { signer }: Person) {
    const file = present(await signRequest(checked, signer));
    return present(await this.parts.releases.submit(file, 'person:eve'));
  }

  /** Stores an artifact, and says what its release would be. */
  async artifact(version: string, bytes: Uint8Array = randomBytes(1_000)): Promise<Release> {
    const { sha256, length } = present(await this.parts.artifacts.put(bytes, 'person:eve'));
    const custom = { line: 'thermo', version, hardware: ['thermo-a'], counter: 1 };
    return { id: releaseId(custom), path: `thermo/${version}/app.bin`, length, sha256, custom };
  }

  /** Publishes a release of the line `thermo`, after those before. */
  async release(version: string, bytes?: Uint8Array): Promise<Release> {
    const release = await this.artifact(version, bytes);
    const { releases } = this.parts;
    const all = [...releases.list(), release];
    const lives = { nowMs: this.clock.ms };
    await this.publish([
      lineProposal(releases.published, { line: 'thermo', releases: all }, lives),
    ]);
    return release;
  }
}

/** All bytes of a range. */
export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const some of bytes) all.push(some);
  return Buffer.concat(all);
}
