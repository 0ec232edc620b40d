/** What a device does for itself over HTTPS: shows a pairing code, and resets itself. @module */
import { TLSSocket } from 'node:tls';
import { Refusal, refuse } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import { DISPLAYED_PAIR_CODE_LIFE_MS, NOT_IDENTIFIED } from '../enroll/index.ts';
import { ApiKeyHeader } from '../ingest/index.ts';
import { type Clock, type ReportRefusal, WindowCounter, networkOf } from '../kernel/index.ts';
import type { AdmittedPeer, ApiKeyCheck, Gate } from '../session/index.ts';
import { peerAddress } from '../wire/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, answerTo } from './errors.ts';
import {
  DEVICES_WATCHED_MAX,
  DEVICE_SELF_REQUESTS_MAX,
  DEVICE_SELF_WINDOW_MS,
  REPORTED_PATH_CHARACTERS_MAX,
} from './limits.ts';
import { pairCodeView } from './pairing-views.ts';
import { recordFirst } from './record-first.ts';

/** What it needs. */
export interface DeviceSelfDeps extends Pick<
  ApiDeps,
  'owners' | 'preparePairCode' | 'resetDevice' | 'recordAct' | 'isReady' | 'log'
> {
  readonly clock: Clock;
  readonly report: ReportRefusal;
  readonly identify: (socket: TLSSocket) => AdmittedPeer | Refusal;
  readonly gate: Pick<Gate, 'use'>;
  readonly apiKeyCheck: Pick<ApiKeyCheck, 'checkKey' | 'recheck'>;
}

const PATH = /^\/v1\/d\/([^/]{1,64})\/(pair-code|factory-reset)$/;

/** `POST /v1/d/<device>/pair-code` and `POST /v1/d/<device>/factory-reset`, by mutual TLS. */
export class DeviceSelf {
  readonly #deps: DeviceSelfDeps;
  readonly #apiKeys: ApiKeyHeader;
  readonly #requests: WindowCounter;
  /** Requests before their API key is checked, by device and network. */
  readonly #tries: WindowCounter;

  constructor(deps: DeviceSelfDeps) {
    this.#deps = deps;
    this.#apiKeys = new ApiKeyHeader(deps.apiKeyCheck, deps.gate);
    const limits = { windowMs: DEVICE_SELF_WINDOW_MS, keysMax: DEVICES_WATCHED_MAX };
    this.#requests = new WindowCounter(deps.clock, limits);
    this.#tries = new WindowCounter(deps.clock, limits);
  }

  /** Whether a request is for this. */
  takes(request: Request): boolean {
    return PATH.test(new URL(request.url).pathname);
  }

  /** Answers a request. */
  readonly fetch = async (request: Request, { incoming }: HttpBindings): Promise<Response> => {
    const { socket } = incoming;
    if (!(socket instanceof TLSSocket)) throw new TypeError('a device without TLS');
    const path = new URL(request.url).pathname;
    const peer = this.#deps.identify(socket);
    const report = (refusal: Refusal): void => {
      const principal = peer instanceof Refusal ? undefined : peer.principal;
      const topic = path.slice(0, REPORTED_PATH_CHARACTERS_MAX);
      this.#deps.report({ refusal, principal, address: peerAddress(socket), topic });
    };
    try {
      if (!(peer instanceof Refusal)) this.#countTry(peer);
      const refusal =
        peer instanceof Refusal
          ? peer
          : await this.#apiKeys.refusalOf(peer, { headers: request.headers, connection: socket });
      if (peer instanceof Refusal || refusal !== undefined) {
        if (refusal !== undefined) report(refusal);
        return answer(NOT_IDENTIFIED, 401);
      }
      return await this.#answer(peer, { path, method: request.method });
    } catch (error) {
      if (!(error instanceof RefusedRequest)) {
        this.#deps.log.error({ 'error.message': String(error), 'url.path': path }, 'it failed');
        return answer({ error: FAILED }, 500);
      }
      report(error.refusal);
      const { status, body } = answerTo(error.refusal);
      return answer(body, status);
    }
  };

  /**
   * Before the work of checking a key; by network, too, so that whoever has stolen the certificate
   * alone does not use up what the device may ask for.
   */
  #countTry({ principal, address }: AdmittedPeer): void {
    const key = `${principal} ${networkOf(address)}`;
    if (this.#tries.add(key) > DEVICE_SELF_REQUESTS_MAX) throw refused('E_OPERATE_RATE');
  }

  async #answer(
    peer: AdmittedPeer,
    { path, method }: { path: string; method: string },
  ): Promise<Response> {
    const [, deviceId = '', what] = PATH.exec(path) ?? [];
    const { principal } = peer;
    // A device of another name is not there, nor is one for an app.
    if (peer.kind !== 'device' || deviceId !== principal) throw refused('E_OPERATE_NOT_FOUND');
    if (method !== 'POST') throw refused('E_OPERATE_METHOD', `It was ${method}.`);
    if (this.#requests.add(principal) > DEVICE_SELF_REQUESTS_MAX) throw refused('E_OPERATE_RATE');
    if (what === 'pair-code') return this.#pairCode(principal);
    const reason = 'reset by the device itself';
    const { owner } = await this.#deps.resetDevice(principal, {
      action: 'device.reset',
      principal,
      reason,
    });
    return answer({ device: principal, hadOwner: owner !== undefined }, 200);
  }

  async #pairCode(id: string): Promise<Response> {
    const { owners, preparePairCode } = this.#deps;
    const hasOwner = (): boolean => owners.ownerOf(id) !== undefined;
    if (hasOwner()) throw refused('E_OPERATE_CONFLICT', 'It has an owner.');
    const code = preparePairCode(id, DISPLAYED_PAIR_CODE_LIFE_MS);
    await recordFirst(this.#deps, { action: 'device.pair-code', principal: id, target: id });
    if (hasOwner()) throw refused('E_OPERATE_CONFLICT', 'It has an owner.');
    code.keep();
    return answer(pairCodeView(code), 201);
  }
}

const FAILED = {
  code: 'E_OPERATE_FAULT',
  message: 'The server failed. This is not your mistake.',
  fix: 'Try again; if it stays, look at the log of the server.',
};

function refused(code: Parameters<typeof refuse>[0], detail = ''): RefusedRequest {
  return new RefusedRequest(refuse(code, detail));
}

function answer(body: unknown, status: number): Response {
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  return Response.json(body, { status, headers });
}
