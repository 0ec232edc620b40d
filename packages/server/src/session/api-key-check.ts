/** Checks API keys that are sent as they are: password fields and HTTP headers. @module */
import { timingSafeEqual } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import { DEVICE_API_KEY } from '@holdfast/protocol/api';
import {
  type ClassSettings,
  type DeviceApiKeys,
  type DeviceRegistry,
  type DeviceVerifiers,
  deriveVerifier,
} from '../registry/index.ts';
import type { AdmittedPeer } from './gate.ts';
import { API_KEY_CHECKS_MAX, API_KEY_CHECKS_PER_DEVICE, API_KEY_CHECKS_RUNNING } from './limits.ts';
import type { PasswordFields, SecondFactor, ShownApiKey } from './second-factor.ts';

/** What the check needs. */
export interface ApiKeyCheckDeps {
  readonly apiKeys: Pick<DeviceApiKeys, 'verifiersOf' | 'isLive' | 'markUsed' | 'onChange'>;
  readonly classSettings: Pick<ClassSettings, 'of' | 'onChange'>;
  readonly registry: Pick<DeviceRegistry, 'byId'>;
}

/** The API keys of devices as a second factor. A person has other ones. */
export class ApiKeyCheck implements SecondFactor {
  readonly #deps: ApiKeyCheckDeps;
  /** The derivations, one after the other on each: a storm must leave threads to others. */
  readonly #lanes: Promise<unknown>[] = Array.from({ length: API_KEY_CHECKS_RUNNING }, () =>
    Promise.resolve(),
  );
  /** Checks that run or wait, by device. */
  readonly #ofDevice = new Map<string, number>();
  #nextLane = 0;
  #count = 0;

  constructor(deps: ApiKeyCheckDeps) {
    this.#deps = deps;
  }

  /** @see SecondFactor.checkPassword */
  checkPassword(
    peer: AdmittedPeer,
    { userName, password }: PasswordFields,
  ): Promise<ShownApiKey | Refusal> {
    if (userName !== undefined && userName !== '' && userName !== peer.principal) {
      const detail = 'the user name beside its API key is not its device id';
      return Promise.resolve(refuse('E_SESSION_API_KEY', detail));
    }
    return this.checkKey(peer, Buffer.from(password).toString('latin1'));
  }

  /**
   * Checks a key against those of this device, with the same work whether it has one or not.
   * Refuses `E_SESSION_API_KEY`, or `E_SESSION_LIMIT` when too many are being checked.
   */
  async checkKey(
    { principal }: Pick<AdmittedPeer, 'principal'>,
    key: string,
  ): Promise<ShownApiKey | Refusal> {
    if (!DEVICE_API_KEY.test(key)) {
      return refuse('E_SESSION_API_KEY', 'what it sent has not the form of an API key');
    }
    if (this.#count >= API_KEY_CHECKS_MAX) {
      return refuse('E_SESSION_LIMIT', `${API_KEY_CHECKS_MAX} API keys are being checked already`);
    }
    const own = this.#ofDevice.get(principal) ?? 0;
    if (own >= API_KEY_CHECKS_PER_DEVICE) {
      return refuse('E_SESSION_LIMIT', `${own} API keys of ${principal} are being checked already`);
    }
    this.#ofDevice.set(principal, own + 1);
    const keyId = await this.#inLane(() => this.#match(principal, key)).finally(() =>
      this.#end(principal),
    );
    // The key may have ended while it waited.
    if (keyId === undefined || !this.#deps.apiKeys.isLive(principal, keyId)) {
      return refuse('E_SESSION_API_KEY', 'the API key is none of its own, or has ended');
    }
    this.#deps.apiKeys.markUsed(principal, keyId);
    return { keyId };
  }

  /** @see SecondFactor.recheck */
  recheck(
    { kind, principal }: Pick<AdmittedPeer, 'kind' | 'principal'>,
    shown: ShownApiKey | undefined,
  ): Refusal | undefined {
    if (kind !== 'device') return undefined;
    const { apiKeys, classSettings, registry } = this.#deps;
    if (shown !== undefined) {
      if (apiKeys.isLive(principal, shown.keyId)) return undefined;
      return refuse('E_SESSION_API_KEY', `its API key ${shown.keyId} has ended`);
    }
    const device = registry.byId(principal);
    if (device !== undefined && !classSettings.of(device.class).requiresApiKey) return undefined;
    return refuse('E_SESSION_API_KEY', 'its class requires an API key, and it has shown none');
  }

  /** @see SecondFactor.onChange */
  onChange(listener: (deviceId: string | undefined) => void): () => void {
    const { apiKeys, classSettings } = this.#deps;
    const stopKeys = apiKeys.onChange(listener);
    const stopClasses = classSettings.onChange(() => listener(undefined));
    return () => {
      stopKeys();
      stopClasses();
    };
  }

  async #match(deviceId: string, key: string): Promise<string | undefined> {
    const verifiers = this.#deps.apiKeys.verifiersOf(deviceId);
    const { storedKey } = await deriveVerifier(key, verifiers);
    return keyIdOf(verifiers, storedKey);
  }

  #end(principal: string): void {
    const left = (this.#ofDevice.get(principal) ?? 1) - 1;
    if (left > 0) this.#ofDevice.set(principal, left);
    else this.#ofDevice.delete(principal);
  }

  async #inLane<T>(task: () => Promise<T>): Promise<T> {
    this.#nextLane = (this.#nextLane + 1) % this.#lanes.length;
    const turn = (this.#lanes[this.#nextLane] ?? Promise.resolve()).then(task);
    // The next one runs whether this one succeeds or fails.
    this.#lanes[this.#nextLane] = turn.catch(() => undefined);
    this.#count += 1;
    try {
      return await turn;
    } finally {
      this.#count -= 1;
    }
  }
}

/** Compares with all of them, so that the time does not tell which one it is. */
function keyIdOf({ known }: DeviceVerifiers, storedKey: Uint8Array): string | undefined {
  let found: string | undefined;
  for (const one of known) {
    if (timingSafeEqual(one.storedKey, storedKey)) found = one.keyId;
  }
  return found;
}
