/** The operator's client of the HTTP API, one method a route. @module */
import { setTimeout as wait } from 'node:timers/promises';
import {
  ActListSchema,
  ClaimedDeviceSchema,
  CreatedTokenSchema,
  DeviceDetailSchema,
  DeviceListSchema,
  MeSchema,
  ReadingListSchema,
  ReadingViewSchema,
  RefusalListSchema,
  RefusalViewSchema,
  RevokedDeviceSchema,
  SentCommandSchema,
  ServerInfoSchema,
  TokenListSchema,
} from '@holdfast/protocol/api';
import type {
  ActView,
  AddDeviceRequest,
  ClaimedDevice,
  CreatedToken,
  CreateTokenRequest,
  DeviceDetail,
  DeviceView,
  FirstSignInRequest,
  Me,
  PageQuery,
  ReadingView,
  RefusalView,
  RevokedDevice,
  SendCommandRequest,
  SentCommand,
  ServerInfo,
  SignInRequest,
  TokenView,
} from '@holdfast/protocol/api';
import type { z } from 'zod';
import { parseAs, readEvents } from './event-stream.ts';
import type { EventKind } from './event-stream.ts';
import { follow } from './follow.ts';
import type { FollowOptions } from './follow.ts';
import { notTheApi, Transport } from './transport.ts';
import type { TransportOptions } from './transport.ts';

/** A signed-in person: give `session` to {@link createClient} to act as that person. */
export interface SignedIn {
  readonly me: Me;
  readonly session: string;
}

/**
 * The API of one server. Every method rejects with an `ApiError` when it does not succeed.
 *
 * ```ts
 * const client = createClient({ url: 'https://localhost:8443', token, anchorPem });
 * const { claim } = await client.addDevice({ id: 'thermostat-1', class: 'sensor' });
 * ```
 */
export interface Client {
  server(): Promise<ServerInfo>;
  me(): Promise<Me>;
  signInFirst(request: FirstSignInRequest): Promise<SignedIn>;
  signIn(request: SignInRequest): Promise<SignedIn>;
  signOut(): Promise<void>;
  createToken(request: CreateTokenRequest): Promise<CreatedToken>;
  tokens(): Promise<TokenView[]>;
  deleteToken(id: string): Promise<void>;
  devices(): Promise<DeviceView[]>;
  device(id: string): Promise<DeviceDetail>;
  addDevice(request: AddDeviceRequest): Promise<ClaimedDevice>;
  claimDevice(id: string): Promise<ClaimedDevice>;
  revokeDevice(id: string, reason: string): Promise<RevokedDevice>;
  sendCommand(id: string, request: SendCommandRequest): Promise<SentCommand>;
  /** Newest first. */
  readings(id: string, page?: PageQuery): Promise<ReadingView[]>;
  followReadings(id: string, options: FollowOptions): AsyncIterable<ReadingView>;
  /** Newest first. */
  refusals(page?: PageQuery): Promise<RefusalView[]>;
  followRefusals(options: FollowOptions): AsyncIterable<RefusalView>;
  /** Newest first. */
  acts(page?: PageQuery): Promise<ActView[]>;
  /** The signed note of the newest checkpoint. C2SP tlog-checkpoint. */
  checkpoint(): Promise<string>;
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

  const signIn = async (path: string, body: unknown): Promise<SignedIn> => {
    const { text, session } = await transport.send({ method: 'POST', path, body });
    if (session === undefined) throw notTheApi('a sign-in opened no session');
    return { me: parseAs(MeSchema, text), session };
  };

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

  return {
    server: () => read(ServerInfoSchema, '/v1/server'),
    me: () => read(MeSchema, '/v1/me'),
    signInFirst: (request) => signIn('/v1/sign-in/first', request),
    signIn: (request) => signIn('/v1/sign-in', request),
    signOut: async () => {
      await transport.send({ method: 'POST', path: '/v1/sign-out' });
    },
    createToken: (request) => post(CreatedTokenSchema, '/v1/tokens', request),
    tokens: async () => (await read(TokenListSchema, '/v1/tokens')).tokens,
    deleteToken: async (id) => {
      await transport.send({ method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(id)}` });
    },
    devices: async () => (await read(DeviceListSchema, '/v1/devices')).devices,
    device: (id) => read(DeviceDetailSchema, devicePath(id)),
    addDevice: (request) => post(ClaimedDeviceSchema, '/v1/devices', request),
    claimDevice: (id) => post(ClaimedDeviceSchema, `${devicePath(id)}/claim`),
    revokeDevice: (id, reason) => post(RevokedDeviceSchema, `${devicePath(id)}/revoke`, { reason }),
    sendCommand: (id, request) => post(SentCommandSchema, `${devicePath(id)}/commands`, request),
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
    checkpoint: async () =>
      (await transport.send({ method: 'GET', path: '/v1/audit/checkpoint' })).text,
    close: () => transport.close(),
  };
}

function devicePath(id: string): string {
  return `/v1/devices/${encodeURIComponent(id)}`;
}

function query({ limit, before }: PageQuery): string {
  const parameters = new URLSearchParams();
  if (limit !== undefined) parameters.set('limit', String(limit));
  if (before !== undefined) parameters.set('before', String(before));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
