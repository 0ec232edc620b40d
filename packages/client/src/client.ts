/** The operator's client of the HTTP API, one method a route. @module */
import { setTimeout as wait } from 'node:timers/promises';
import {
  ActListSchema,
  AuthorityStatusSchema,
  ChangedDeviceSchema,
  ChangedDevicesSchema,
  ClaimedDeviceSchema,
  ClassViewSchema,
  CreatedDeviceApiKeySchema,
  CreatedTokenSchema,
  CrlViewSchema,
  DeviceApiKeyListSchema,
  DeviceDetailSchema,
  DeviceListSchema,
  EvidenceSchema,
  ExportedRootSchema,
  GenerationRequestSchema,
  ImportedDevicesSchema,
  MeSchema,
  PairCodeSchema,
  PinsSchema,
  ReadingListSchema,
  ReadingViewSchema,
  RefusalListSchema,
  RefusalViewSchema,
  ResetDeviceSchema,
  SentCommandSchema,
  ServerInfoSchema,
  TokenListSchema,
} from '@holdfast/protocol/api';
import type {
  ActView,
  AddDeviceRequest,
  AuthorityStatus,
  ChangedDevice,
  ChangedDevices,
  ClaimedDevice,
  ClassRules,
  ClassView,
  CreatedDeviceApiKey,
  CreatedToken,
  CreateDeviceApiKeyRequest,
  CreateTokenRequest,
  CrlView,
  DeviceAct,
  DeviceActsRequest,
  DeviceApiKeyView,
  DeviceDetail,
  DeviceFilter,
  DeviceView,
  Evidence,
  ExportedRoot,
  ExportRootRequest,
  FinishRotationRequest,
  ForgetRootRequest,
  GenerationRequest,
  ImportDevicesRequest,
  ImportedDevices,
  Me,
  PageQuery,
  PairCode,
  Pins,
  PrepareGenerationRequest,
  ProveRequest,
  ReadingView,
  RefusalView,
  ResetDevice,
  SendCommandRequest,
  SentCommand,
  ServerInfo,
  SetGroupRequest,
  TokenView,
  VerifiedLog,
  VerifyLogRequest,
} from '@holdfast/protocol/api';
import type { z } from 'zod';
import { type BackupClient, backupClient } from './backup-client.ts';
import { type BucketClient, bucketClient } from './bucket-client.ts';
import { type DeviceClient, deviceClient, devicePath } from './device-client.ts';
import { allDevices } from './device-pages.ts';
import { parseAs, readEvents } from './event-stream.ts';
import type { EventKind } from './event-stream.ts';
import { type FirmwareClient, firmwareClient } from './firmware-client.ts';
import { follow } from './follow.ts';
import type { FollowOptions } from './follow.ts';
import { type KeyClient, keyClient } from './key-client.ts';
import { type ManufacturerClient, manufacturerClient } from './manufacturer-client.ts';
import { type OverviewClient, overviewClient } from './overview-client.ts';
import { type PeopleClient, peopleClient } from './people-client.ts';
import { type PolicyClient, policyClient } from './policy-client.ts';
import { type ReleaseClient, releaseClient } from './release-client.ts';
import { type RolloutClient, rolloutClient } from './rollout-client.ts';
import { type SeriesClient, seriesClient } from './series-client.ts';
import { type TpmClient, tpmClient } from './tpm-client.ts';
import { Transport } from './transport.ts';
import type { TransportOptions } from './transport.ts';
import { type VerifyLogOptions, verifyLog } from './verify-log.ts';
import { type VulnerabilityClient, vulnerabilityClient } from './vulnerability-client.ts';
import { type WitnessClient, witnessClient } from './witness-client.ts';

/**
 * The API of one server. Every method rejects with an `ApiError` when it does not succeed.
 *
 * ```ts
 * const client = createClient({ url: 'https://localhost:8443', token, anchorPem });
 * const { claim } = await client.addDevice({ id: 'thermostat-1', class: 'sensor' });
 * ```
 */
export interface Client
  extends
    DeviceClient,
    SeriesClient,
    OverviewClient,
    VulnerabilityClient,
    PolicyClient,
    PeopleClient,
    TpmClient,
    WitnessClient,
    ManufacturerClient,
    BackupClient,
    BucketClient,
    FirmwareClient,
    ReleaseClient,
    RolloutClient,
    KeyClient {
  server(): Promise<ServerInfo>;
  me(): Promise<Me>;
  createToken(request: CreateTokenRequest): Promise<CreatedToken>;
  tokens(): Promise<TokenView[]>;
  deleteToken(id: string): Promise<void>;
  /** In the order of their ids; all pages of the list. */
  devices(filter?: DeviceFilter): Promise<DeviceView[]>;
  device(id: string): Promise<DeviceDetail>;
  addDevice(request: AddDeviceRequest): Promise<ClaimedDevice>;
  claimDevice(id: string): Promise<ClaimedDevice>;
  revokeDevice(id: string, reason: string): Promise<ChangedDevice>;
  /** Does an act of the life cycle to one device. */
  actOnDevice(id: string, act: DeviceAct, reason: string): Promise<ChangedDevice>;
  setDeviceGroup(id: string, request: SetGroupRequest): Promise<ChangedDevice>;
  /** Does an act to many devices; those whose state does not allow it are passed over. */
  actOnDevices(request: DeviceActsRequest): Promise<ChangedDevices>;
  /** Registers many devices, each with a claim: all of them, or none. */
  importDevices(request: ImportDevicesRequest): Promise<ImportedDevices>;
  sendCommand(id: string, request: SendCommandRequest): Promise<SentCommand>;
  /** Makes the code by which an owner's app is paired with a device that has no owner. */
  pairCode(id: string): Promise<PairCode>;
  /** Ends the rights of a device's owner at once, and erases what the device has sent. */
  resetDevice(id: string, reason: string): Promise<ResetDevice>;
  /** Those that count now, oldest first. */
  deviceApiKeys(id: string): Promise<DeviceApiKeyView[]>;
  createDeviceApiKey(id: string, request: CreateDeviceApiKeyRequest): Promise<CreatedDeviceApiKey>;
  deleteDeviceApiKey(id: string, keyId: string): Promise<void>;
  deviceClass(name: ClassView['name']): Promise<ClassView>;
  setDeviceClass(name: ClassView['name'], rules: ClassRules): Promise<ClassView>;
  /** Newest first. */
  readings(id: string, page?: PageQuery): Promise<ReadingView[]>;
  followReadings(id: string, options: FollowOptions): AsyncIterable<ReadingView>;
  /** Newest first. */
  refusals(page?: PageQuery): Promise<RefusalView[]>;
  followRefusals(options: FollowOptions): AsyncIterable<RefusalView>;
  /** Newest first. */
  acts(page?: PageQuery): Promise<ActView[]>;
  /** The revocation list of an issuer; without one, of that which issues now. */
  crl(issuer?: string): Promise<CrlView>;
  /** The signed note of the newest checkpoint. C2SP tlog-checkpoint. */
  checkpoint(): Promise<string>;
  /** Verifies the log while the server runs; the signal cancels it. */
  verifyLog(request: VerifyLogRequest, options?: VerifyLogOptions): Promise<VerifiedLog>;
  /** The evidence of a reading, the newest one unless an index is named. */
  proveReading(id: string, request?: ProveRequest): Promise<Evidence>;
  /** Lets the server show its next key; gives the pins from then on. */
  rotateServerKey(): Promise<Pins>;
  /** How the certificate authority stands. */
  authority(): Promise<AuthorityStatus>;
  /** What an offline root is to sign for the next generation. */
  requestGeneration(): Promise<GenerationRequest>;
  prepareAuthority(request: PrepareGenerationRequest): Promise<AuthorityStatus>;
  switchAuthority(): Promise<AuthorityStatus>;
  finishRotation(request: FinishRotationRequest): Promise<AuthorityStatus>;
  exportRoot(request: ExportRootRequest): Promise<ExportedRoot>;
  forgetRoot(request: ForgetRootRequest): Promise<AuthorityStatus>;
  /** Closes idle connections. */
  close(): void;
}

/** Makes a client. @throws TypeError when the url is none, or not https. */
export function createClient(options: TransportOptions): Client {
  const transport = new Transport(options);

  const read = async <T>(schema: z.ZodType<T>, path: string, signal?: AbortSignal): Promise<T> =>
    parseAs(schema, (await transport.send({ method: 'GET', path, signal })).text);

  const post = async <T>(schema: z.ZodType<T>, path: string, body?: unknown): Promise<T> =>
    parseAs(schema, (await transport.send({ method: 'POST', path, body })).text);

  const followed = <T extends { readonly index: number }>(
    kind: EventKind<T>,
    path: string,
    list: (page: PageQuery, signal: AbortSignal | undefined) => Promise<readonly T[]>,
    options: FollowOptions,
  ): AsyncIterable<T> => {
    const read = (page: PageQuery) => list(page, options.signal);
    const open = async (signal: AbortSignal) =>
      readEvents(await transport.open(`${path}/stream`, signal), kind);
    return follow({ read, open }, options, (ms, signal) => wait(ms, undefined, { signal }));
  };

  const readings = async (id: string, page: PageQuery = {}, signal?: AbortSignal) =>
    (await read(ReadingListSchema, `${devicePath(id)}/readings${query(page)}`, signal)).readings;

  const refusals = async (page: PageQuery = {}, signal?: AbortSignal) =>
    (await read(RefusalListSchema, `/v1/refusals${query(page)}`, signal)).refusals;

  const policy = policyClient({
    read,
    readText: async (path) => (await transport.send({ method: 'GET', path })).text,
    post,
    send: (method, path) => transport.send({ method, path }),
  });

  return {
    ...policy,
    ...deviceClient({ read, post }),
    ...seriesClient({ read }),
    ...overviewClient({ read }),
    ...peopleClient((request) => transport.send(request)),
    ...manufacturerClient({
      read,
      post,
      remove: (path) => transport.send({ method: 'DELETE', path }),
    }),
    ...tpmClient({ send: (request) => transport.send(request) }),
    ...witnessClient({
      send: (request) => transport.send(request),
      bytes: (path) => transport.bytes(path),
    }),
    ...bucketClient({ read, post }),
    ...keyClient({ read, post }),
    ...rolloutClient({ read, post }),
    ...vulnerabilityClient({ read, post }),
    ...releaseClient({
      read,
      post,
      put: async (schema, path, body) =>
        parseAs(schema, (await transport.send({ method: 'PUT', path, body })).text),
    }),
    ...firmwareClient({
      read,
      post,
      remove: (path) => transport.send({ method: 'DELETE', path }),
    }),
    ...backupClient({
      read,
      send: async (schema, request) => parseAs(schema, (await transport.send(request)).text),
      download: (path) => transport.download(path),
    }),
    server: () => read(ServerInfoSchema, '/v1/server'),
    me: () => read(MeSchema, '/v1/me'),
    createToken: (request) => post(CreatedTokenSchema, '/v1/tokens', request),
    tokens: async () => (await read(TokenListSchema, '/v1/tokens')).tokens,
    deleteToken: async (id) => {
      await transport.send({ method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(id)}` });
    },
    devices: (filter) => allDevices((path) => read(DeviceListSchema, path), filter),
    device: (id) => read(DeviceDetailSchema, devicePath(id)),
    addDevice: (request) => post(ClaimedDeviceSchema, '/v1/devices', request),
    claimDevice: (id) => post(ClaimedDeviceSchema, `${devicePath(id)}/claim`),
    revokeDevice: (id, reason) => post(ChangedDeviceSchema, `${devicePath(id)}/revoke`, { reason }),
    actOnDevice: (id, act, reason) =>
      post(ChangedDeviceSchema, `${devicePath(id)}/${act}`, { reason }),
    setDeviceGroup: (id, request) =>
      post(ChangedDeviceSchema, `${devicePath(id)}/set-group`, request),
    actOnDevices: (request) => post(ChangedDevicesSchema, '/v1/device-acts', request),
    importDevices: (request) => post(ImportedDevicesSchema, '/v1/device-imports', request),
    sendCommand: (id, request) => post(SentCommandSchema, `${devicePath(id)}/commands`, request),
    pairCode: (id) => post(PairCodeSchema, `${devicePath(id)}/pair-code`),
    resetDevice: (id, reason) => post(ResetDeviceSchema, `${devicePath(id)}/reset`, { reason }),
    deviceApiKeys: async (id) =>
      (await read(DeviceApiKeyListSchema, `${devicePath(id)}/api-keys`)).apiKeys,
    createDeviceApiKey: (id, request) =>
      post(CreatedDeviceApiKeySchema, `${devicePath(id)}/api-keys`, request),
    deleteDeviceApiKey: async (id, keyId) => {
      const path = `${devicePath(id)}/api-keys/${encodeURIComponent(keyId)}`;
      await transport.send({ method: 'DELETE', path });
    },
    deviceClass: (name) => read(ClassViewSchema, `/v1/classes/${name}`),
    setDeviceClass: async (name, body) => {
      const { text } = await transport.send({ method: 'PUT', path: `/v1/classes/${name}`, body });
      return parseAs(ClassViewSchema, text);
    },
    readings,
    followReadings: (id, options) =>
      followed(
        { type: 'reading', schema: ReadingViewSchema },
        `${devicePath(id)}/readings`,
        (page, signal) => readings(id, page, signal),
        options,
      ),
    refusals,
    followRefusals: (options) =>
      followed({ type: 'refusal', schema: RefusalViewSchema }, '/v1/refusals', refusals, options),
    acts: async (page = {}) => (await read(ActListSchema, `/v1/audit/acts${query(page)}`)).acts,
    crl: (issuer) => {
      const which = issuer === undefined ? '' : `?issuer=${encodeURIComponent(issuer)}`;
      return read(CrlViewSchema, `/v1/ca/crl${which}`);
    },
    checkpoint: async () =>
      (await transport.send({ method: 'GET', path: '/v1/audit/checkpoint' })).text,
    verifyLog: (request, options) => verifyLog(transport, request, options),
    proveReading: (id, request = {}) => post(EvidenceSchema, `${devicePath(id)}/evidence`, request),
    rotateServerKey: () => post(PinsSchema, '/v1/server/rotate-key'),
    authority: () => read(AuthorityStatusSchema, '/v1/ca'),
    requestGeneration: () => post(GenerationRequestSchema, '/v1/ca/requests'),
    prepareAuthority: (request) => post(AuthorityStatusSchema, '/v1/ca/prepare', request),
    switchAuthority: () => post(AuthorityStatusSchema, '/v1/ca/switch'),
    finishRotation: (request) => post(AuthorityStatusSchema, '/v1/ca/finish', request),
    exportRoot: (request) => post(ExportedRootSchema, '/v1/ca/root/export', request),
    forgetRoot: (request) => post(AuthorityStatusSchema, '/v1/ca/root/forget', request),
    close: () => transport.close(),
  };
}

function query({ limit, before }: PageQuery): string {
  const parameters = new URLSearchParams();
  if (limit !== undefined) parameters.set('limit', String(limit));
  if (before !== undefined) parameters.set('before', String(before));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
