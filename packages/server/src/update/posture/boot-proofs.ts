/** Which devices have proven how they booted. @module */
import { timingSafeEqual } from 'node:crypto';
import {
  type AttestationKey,
  type BootEvidence,
  type Credential,
  type Measurements,
  type Release,
  judgeBoot,
  makeCredential,
  readAttestationKey,
} from '@holdfast/firmware';
import { type DeviceId, Refusal, parseDeviceId, refuse } from '@holdfast/protocol';
import type { RecordEvent } from '../../audit/index.ts';
import type { Clock, Log, RandomBytes } from '../../kernel/index.ts';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import type { DeviceRegistry } from '../../registry/index.ts';
import type { Director, Releases } from '../ports.ts';
import type { DeviceReports } from '../reports.ts';
import { type Endorsement, type TpmManufacturer, readEndorsement } from './endorsement.ts';
import { CHALLENGE_MS, PROOF_MS, PROOF_SWEEP_MS } from './limits.ts';
import { type Least, type TpmRecord, TpmSchema } from './tpm-records.ts';

/** What the proofs need. */
export interface BootProofsDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly store: Pick<SealedStore, 'collection'>;
  readonly recordEvent: RecordEvent;
  readonly registry: Pick<DeviceRegistry, 'byId' | 'setBoot'>;
  readonly manufacturers: { all(): readonly TpmManufacturer[] };
  readonly releases: Pick<Releases, 'list'>;
  readonly director: Pick<Director, 'assigned'>;
  readonly reports: Pick<DeviceReports, 'of'>;
}

/** What a TPM shows of itself. */
export interface ShownTpm {
  /** SPKI of the endorsement key, in DER. */
  readonly ek: Uint8Array;
  readonly ekCertificates: readonly Uint8Array[];
  /** `TPMT_PUBLIC` of the attestation key. */
  readonly ak: Uint8Array;
}

interface Binding {
  readonly secret: Uint8Array;
  readonly endsMs: number;
  readonly endorsement: Endorsement;
  readonly ak: Uint8Array;
}

interface Challenge {
  readonly nonce: Uint8Array;
  readonly endsMs: number;
}

/**
 * TPMs of devices and what they have proven. A TPM is bound once, by a credential that only it can
 * open; another one is refused until an operator forgets the first. Whoever has a bound TPM and no
 * proof that counts is `unproven`, and the policy says what that means.
 */
export class BootProofs {
  readonly #deps: BootProofsDeps;
  readonly #records: Collection<TpmRecord>;
  readonly #byDevice = new Map<string, TpmRecord>();
  readonly #bindings = new Map<string, Binding>();
  readonly #challenges = new Map<string, Challenge>();
  #cancel: () => void = () => {};

  constructor(deps: BootProofsDeps) {
    this.#deps = deps;
    this.#records = deps.store.collection('tpm', TpmSchema);
    for (const record of this.#records.all()) this.#byDevice.set(record.device, record);
  }

  /** Begins to look for proofs that run out. */
  start(): void {
    try {
      this.#sweep();
    } catch (error) {
      // A disk that fails now is tried again in a minute.
      const event = { 'event.action': 'boot.sweep', 'event.outcome': 'failure' };
      this.#deps.log.error(
        { ...event, 'error.message': String(error) },
        'proofs were not looked at',
      );
    }
    this.#cancel = this.#deps.clock.after(PROOF_SWEEP_MS, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }

  /** The TPM of a device. */
  of(device: string): TpmRecord | undefined {
    return this.#byDevice.get(device);
  }

  /** Begins to bind a TPM: a credential that only the TPM with both keys can open. */
  bind(device: DeviceId, shown: ShownTpm): Credential | Refusal {
    const { clock, random, manufacturers } = this.#deps;
    const nowMs = clock.nowMs();
    const key = readAttestationKey(shown.ak);
    if (typeof key === 'string') return refuse('E_UPDATE_TPM', `its attestation key: ${key}`);
    const certificates = shown.ekCertificates;
    const known = { manufacturers: manufacturers.all(), nowMs };
    const endorsement = readEndorsement({ spki: shown.ek, certificates }, known);
    if (endorsement instanceof Refusal) return endorsement;
    const refusal = this.#refusalOf(device, endorsement);
    if (refusal !== undefined) return refusal;
    const secret = random(32);
    const credential = makeCredential(endorsement.key, { secret, name: key.name, random });
    if (credential === undefined) {
      return refuse('E_UPDATE_TPM', 'its endorsement key is neither P-256 nor RSA with 2,048 bits');
    }
    const endsMs = clock.monotonicMs() + CHALLENGE_MS;
    this.#bindings.set(device, { secret, endsMs, endorsement, ak: Buffer.from(shown.ak) });
    return credential;
  }

  /** Ends a binding with what was in the credential. */
  async activate(device: DeviceId, secret: Uint8Array): Promise<Refusal | undefined> {
    const { clock, recordEvent } = this.#deps;
    const binding = this.#bindings.get(device);
    this.#bindings.delete(device);
    if (binding === undefined || binding.endsMs < clock.monotonicMs()) {
      return refuse('E_UPDATE_TPM', 'no credential was asked for within the last minute');
    }
    if (secret.length !== binding.secret.length || !timingSafeEqual(secret, binding.secret)) {
      return refuse('E_UPDATE_TPM', 'the credential was not opened: the keys are of two TPMs');
    }
    const { endorsement, ak } = binding;
    const refusal = this.#refusalOf(device, endorsement);
    if (refusal !== undefined) return refusal;
    const { manufacturer, sha256: ekSha256 } = endorsement;
    const { trust } = trustOf(this.#byDevice.get(device), manufacturer);
    await recordEvent({ name: 'boot.tpm-bound', facts: { device, ekSha256, trust } });
    // In the meantime another device may have got it, or an operator have spoken.
    const overtaken = this.#refusalOf(device, endorsement);
    if (overtaken !== undefined) return overtaken;
    const before = this.#byDevice.get(device);
    this.#keep({
      device,
      ekSha256,
      akPublic: Buffer.from(ak).toString('base64'),
      boundAtMs: clock.nowMs(),
      ...trustOf(before, manufacturer),
      ...(before?.least !== undefined && { least: before.least }),
    });
    return undefined;
  }

  /**
   * What a device has to have signed, within a minute and once. Refuses `E_UPDATE_TPM` where no TPM
   * is bound to it that anybody vouches for.
   */
  challenge(device: DeviceId): Uint8Array | Refusal {
    const record = this.#byDevice.get(device);
    if (record === undefined) return refuse('E_UPDATE_TPM', 'no TPM is bound to it');
    if (record.trust === 'nobody') return refuse('E_UPDATE_TPM', untrusted(record));
    const nonce = this.#deps.random(32);
    const endsMs = this.#deps.clock.monotonicMs() + CHALLENGE_MS;
    this.#challenges.set(device, { nonce, endsMs });
    return nonce;
  }

  /** Judges the evidence of a boot; what it says is in force when this resolves. */
  async prove(device: DeviceId, evidence: BootEvidence): Promise<Refusal | undefined> {
    const { clock } = this.#deps;
    const record = this.#byDevice.get(device);
    const challenge = this.#challenges.get(device);
    this.#challenges.delete(device);
    if (record === undefined || record.trust === 'nobody') {
      return refuse('E_UPDATE_TPM', 'no TPM is bound to it that anybody vouches for');
    }
    const key = readAttestationKey(Buffer.from(record.akPublic, 'base64'));
    if (typeof key === 'string') return refuse('E_UPDATE_TPM', `its attestation key: ${key}`);
    if (challenge === undefined || challenge.endsMs < clock.monotonicMs()) {
      // Nothing is proven, and nothing disproven: whoever replays an answer cannot shut it out.
      return refuse('E_UPDATE_BOOT', 'nonce: no challenge was asked for within the last minute');
    }
    const found = this.#judge(record, evidence, { key, nonce: challenge.nonce });
    if ('why' in found) {
      await this.#note(record, found);
      return refuse('E_UPDATE_BOOT', found.why);
    }
    await this.#note(record, found);
    return undefined;
  }

  /** An operator vouches for a TPM. Refuses `E_OPERATE_CONFLICT` when it is not the one shown. */
  accept(device: string, { ekSha256, by }: { ekSha256: string; by: string }): Refusal | undefined {
    const record = this.#byDevice.get(device);
    if (record === undefined) return refuse('E_OPERATE_NOT_FOUND', `${device} has shown no TPM.`);
    if (record.ekSha256 !== ekSha256) {
      return refuse('E_OPERATE_CONFLICT', `${device} has shown the TPM ${record.ekSha256}.`);
    }
    this.#keep({ ...record, trust: 'operator', trustedBy: by });
    return undefined;
  }

  /** Ends what binds a TPM to a device. @returns whether one was bound. */
  forget(device: string): boolean {
    if (!this.#byDevice.has(device)) return false;
    this.#records.remove(device);
    this.#byDevice.delete(device);
    this.#challenges.delete(device);
    this.#bindings.delete(device);
    this.#deps.registry.setBoot(device, undefined);
    return true;
  }

  #refusalOf(device: string, { sha256 }: Endorsement): Refusal | undefined {
    const before = this.#byDevice.get(device);
    if (before !== undefined && before.ekSha256 !== sha256) {
      return refuse('E_UPDATE_TPM', `another TPM (${sha256}) than the bound one`);
    }
    for (const record of this.#byDevice.values()) {
      if (record.ekSha256 === sha256 && record.device !== device) {
        return refuse('E_UPDATE_TPM', `the TPM ${sha256} is that of ${record.device}`);
      }
    }
    return undefined;
  }

  #judge(
    record: TpmRecord,
    evidence: BootEvidence,
    { key, nonce }: { key: AttestationKey; nonce: Uint8Array },
  ): Verdict {
    const expected = this.#expected(record);
    if (expected.length === 0) {
      return { why: 'measurement: no release that it may run says what its boot measures' };
    }
    let why = '';
    for (const { release, measurements, isSettled } of expected) {
      const judged = judgeBoot(evidence, { key, nonce, expected: measurements });
      if (judged.reason === 'proven') return { release, resetCount: judged.resetCount, isSettled };
      why = `${judged.reason}: ${judged.detail} (${release.id})`;
    }
    return { why };
  }

  /**
   * The release that it is to run; before that is confirmed, also the one that it says it runs: of
   * the same line, as the keys of another one have no say in it, and of no lower counter than one
   * that it has proven for good.
   */
  #expected({ device, least }: TpmRecord): Expected[] {
    const { director, reports, releases } = this.#deps;
    const id = parseDeviceId(device);
    const assigned = id instanceof Refusal ? undefined : director.assigned(id);
    const told = reports.of(device);
    const isSettled = told?.state === 'confirmed' && told.release === assigned?.id;
    const line = assigned?.custom.line ?? least?.line;
    const isRunning = ({ sha256, custom }: Release): boolean =>
      sha256 === told?.running &&
      (line === undefined || custom.line === line) &&
      (least?.line !== custom.line || custom.counter >= least.counter);
    const running = isSettled ? undefined : releases.list().find(isRunning);
    return [running, assigned].flatMap((release) => {
      const measurements = release?.custom.measurements;
      return release === undefined || measurements === undefined
        ? []
        : [{ release, measurements, isSettled: isSettled && release === assigned }];
    });
  }

  async #note(record: TpmRecord, verdict: Verdict): Promise<void> {
    const { clock, recordEvent } = this.#deps;
    const { device } = record;
    const wasProven = this.#deps.registry.byId(device)?.boot === 'proven';
    if ('why' in verdict) {
      const { proof: _void, ...rest } = record;
      this.#keep({ ...rest, why: verdict.why });
      // Once: each further try is reported as a refusal, and must not fill the log.
      if (!wasProven && record.why !== undefined) return;
      await recordEvent({ name: 'boot.unproven', facts: { device, why: verdict.why } });
      return;
    }
    const { why: _repaired, ...rest } = record;
    const { resetCount, isSettled } = verdict;
    const { id: release, custom } = verdict.release;
    const isNew = !wasProven || record.proof?.release !== release;
    // What gives is recorded first.
    if (isNew) await recordEvent({ name: 'boot.proven', facts: { device, release, resetCount } });
    // In the meantime an operator may have forgotten it.
    if (this.#byDevice.get(device) !== record) return;
    const least = isSettled ? { least: leastOf(record, custom) } : {};
    this.#keep({ ...rest, ...least, proof: { atMs: clock.nowMs(), release, resetCount } });
  }

  /** The record first, then what the policy looks at. */
  #keep(record: TpmRecord): void {
    const { device } = record;
    this.#records.write(device, record);
    this.#byDevice.set(device, record);
    this.#apply(record);
  }

  #apply(record: TpmRecord): void {
    const { clock, registry } = this.#deps;
    if (record.trust === 'nobody') return registry.setBoot(record.device, undefined);
    const ageMs = clock.nowMs() - (record.proof?.atMs ?? Number.NEGATIVE_INFINITY);
    return registry.setBoot(record.device, Math.abs(ageMs) < PROOF_MS ? 'proven' : 'unproven');
  }

  #tellEnd(device: string): void {
    const facts = { device, why: 'its last proof is a day old' };
    this.#deps.recordEvent({ name: 'boot.unproven', facts }).catch((error: unknown) => {
      const event = { 'event.action': 'boot.unproven', 'device.id': device };
      this.#deps.log.error({ ...event, 'error.message': String(error) }, 'not recorded');
    });
  }

  #sweep(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const pending of [this.#bindings, this.#challenges]) {
      for (const [device, { endsMs }] of pending) if (endsMs < nowMs) pending.delete(device);
    }
    for (const record of this.#byDevice.values()) {
      const before = this.#deps.registry.byId(record.device);
      if (before === undefined) {
        this.forget(record.device);
        continue;
      }
      this.#apply(record);
      const hasRunOut =
        before.boot === 'proven' && this.#deps.registry.byId(record.device)?.boot !== 'proven';
      if (hasRunOut) this.#tellEnd(record.device);
    }
  }
}

/** A release that a device may prove. `isSettled`: it has confirmed that it runs what it is to run. */
interface Expected {
  readonly release: Release;
  readonly measurements: Measurements;
  readonly isSettled: boolean;
}

type Verdict =
  | { readonly why: string }
  | (Pick<Expected, 'release' | 'isSettled'> & { readonly resetCount: number });

function leastOf({ least }: TpmRecord, { line, counter }: Release['custom']): Least {
  return { line, counter: Math.max(counter, least?.line === line ? least.counter : 0) };
}

function trustOf(
  before: TpmRecord | undefined,
  manufacturer: string | undefined,
): Pick<TpmRecord, 'trust' | 'trustedBy'> {
  // A new attestation key of the same TPM is worth what the one before it was, whatever the device
  // shows this time: it could else talk itself out of having to prove anything.
  if (before !== undefined && before.trust !== 'nobody') {
    const { trust, trustedBy } = before;
    return { trust, ...(trustedBy !== undefined && { trustedBy }) };
  }
  if (manufacturer !== undefined) return { trust: 'manufacturer', trustedBy: manufacturer };
  return { trust: 'nobody' };
}

function untrusted({ ekSha256, device }: TpmRecord): string {
  return `nobody vouches for the TPM ${ekSha256}: holdfast device tpm accept ${device}`;
}
