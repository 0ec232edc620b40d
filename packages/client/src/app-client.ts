/** The client of an owner's app: paired once, then by its own certificate. @module */
import { createHash, X509Certificate } from 'node:crypto';
import { get } from 'node:https';
import type { parsePairing } from '@holdfast/protocol';
import {
  OwnedAppListSchema,
  OwnedCommandListSchema,
  OwnedDeviceListSchema,
  OwnedDeviceSchema,
  OwnedRefusalListSchema,
  OwnedUpdateListSchema,
  PairCodeSchema,
  PairedAppSchema,
  ReadingListSchema,
  SentCommandSchema,
  SeriesListSchema,
  SeriesPageSchema,
} from '@holdfast/protocol/api';
import type {
  OwnedApp,
  OwnedCommand,
  OwnedDevice,
  OwnedRefusalList,
  OwnedUpdate,
  PageQuery,
  PairCode,
  PairedApp,
  PointsQuery,
  ReadingView,
  SendCommandRequest,
  SentCommand,
  SeriesListView,
  SeriesPage,
} from '@holdfast/protocol/api';
import type { z } from 'zod';
import { ApiError } from './api-error.ts';
import { AppConnection, type AppRenewal } from './app-connection.ts';
import { newAppKey } from './app-key.ts';
import { parseAs } from './event-stream.ts';
import { ANCHOR_BYTES_MAX, REQUEST_MS_MAX } from './limits.ts';
import { queryText } from './series-client.ts';
import { type ApiRequest, type ApiResponse, Transport, readText } from './transport.ts';

/** All that a paired app keeps. `keyPem` is its secret: made here, and sent to nobody. */
export interface AppIdentity {
  /** `https://host:port` of the API. */
  readonly url: string;
  /** Trust anchor of the server, PEM. */
  readonly anchorPem: string;
  /** Name of the app, and its MQTT client id. */
  readonly app: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  /** ISO 8601; see {@link appClient} for its renewal. */
  readonly notAfter: string;
  /** `mqtts://host:port`. */
  readonly broker: string;
}

/** What an app may do. Every method rejects with an `ApiError` when it does not succeed. */
export interface AppClient {
  devices(): Promise<OwnedDevice[]>;
  device(id: string): Promise<OwnedDevice>;
  /** Newest first; none from before the owner had the device. */
  readings(id: string, page?: PageQuery): Promise<ReadingView[]>;
  /** The numbers that a device has reported since the owner has it, by name. */
  series(id: string): Promise<SeriesListView>;
  /** A page of a series, oldest first. */
  seriesPoints(id: string, query: PointsQuery): Promise<SeriesPage>;
  /** The commands that apps of the owner have sent, newest first, with what the device answered. */
  commands(id: string): Promise<OwnedCommand[]>;
  /** What was refused of a device in the last day, by kind: altered, repeated, … */
  refusals(id: string): Promise<OwnedRefusalList>;
  /** The server signs and counts it. */
  command(id: string, request: SendCommandRequest): Promise<SentCommand>;
  /** One more device, by the pairing text that it shows. */
  addDevice(pairingText: string): Promise<OwnedDevice>;
  /** The updates that wait for the owner: what they are for, and until when they can wait. */
  updates(): Promise<OwnedUpdate[]>;
  /** Agrees to the update of a device: now, or from a time on (ISO 8601). */
  agreeToUpdate(id: string, from?: string): Promise<void>;
  /** Gives a device away: all rights of this owner end at once. */
  release(id: string): Promise<void>;
  /** The code for one more app of the same owner. */
  invite(): Promise<PairCode>;
  apps(): Promise<OwnedApp[]>;
  removeApp(id: string): Promise<void>;
  /**
   * A new certificate for a new key. Keep the identity before anything else: its first use ends
   * the present one.
   */
  renew(): Promise<AppIdentity>;
  /** Closes idle connections. */
  close(): void;
}

/**
 * Pairs an app by what a device shows or its label carries. The anchor is fetched over a connection
 * that proves nothing; its pin in the text makes it authentic, and only then the code is sent.
 *
 * ```ts
 * const identity = await pairApp(scannedText);
 * const app = appClient(identity);
 * await app.command('pump-1', { name: 'start' });
 * ```
 * @throws ApiError `E_CLIENT_PAIRING`, `E_CLIENT_UNTRUSTED`, `E_ENROLL_PAIR`, …
 */
export async function pairApp(pairingText: string): Promise<AppIdentity> {
  const { host, port, of, anchorPin, code } = await parsed(pairingText);
  const url = `https://${host}:${port}`;
  const anchorPem = await fetchAnchor(url, anchorPin);
  const transport = new Transport({ url, anchorPem });
  try {
    const { keyPem, csrPem } = newAppKey();
    const body = { of, code, csr: csrPem };
    const answer = await transport.send({ method: 'POST', path: '/v1/pair', body });
    return identityOf(parseAs(PairedAppSchema, answer.text), { url, anchorPem, keyPem });
  } finally {
    transport.close();
  }
}

/**
 * The client of a paired app.
 * @param renewal - with it, the app renews its certificate by itself, at two thirds of its 30
 *   days; without it, call `renew` in time.
 *
 * ```ts
 * const app = appClient(identity, { keep: (next) => writeFile(path, JSON.stringify(next)) });
 * ```
 */
export function appClient(identity: AppIdentity, renewal?: AppRenewal): AppClient {
  const connection = new AppConnection(identity, newIdentity, renewal);
  const send = (request: ApiRequest): Promise<ApiResponse> =>
    connection.use((transport) => transport.send(request));
  const read = async <T>(schema: z.ZodType<T>, path: string): Promise<T> =>
    parseAs(schema, (await send({ method: 'GET', path })).text);
  const post = async <T>(schema: z.ZodType<T>, path: string, body?: unknown): Promise<T> =>
    parseAs(schema, (await send({ method: 'POST', path, body })).text);
  return {
    devices: async () => (await read(OwnedDeviceListSchema, '/v1/app/devices')).devices,
    device: (id) => read(OwnedDeviceSchema, devicePath(id)),
    readings: async (id, { limit, before } = {}) => {
      const query = new URLSearchParams();
      if (limit !== undefined) query.set('limit', String(limit));
      if (before !== undefined) query.set('before', String(before));
      const path = `${devicePath(id)}/readings?${query.toString()}`;
      return (await read(ReadingListSchema, path)).readings;
    },
    series: (id) => read(SeriesListSchema, `${devicePath(id)}/series`),
    seriesPoints: (id, query) =>
      read(SeriesPageSchema, `${devicePath(id)}/series/points${queryText(query)}`),
    commands: async (id) =>
      (await read(OwnedCommandListSchema, `${devicePath(id)}/commands`)).commands,
    refusals: (id) => read(OwnedRefusalListSchema, `${devicePath(id)}/refusals`),
    command: (id, request) => post(SentCommandSchema, `${devicePath(id)}/commands`, request),
    addDevice: async (pairingText) => {
      const { of, code, anchorPin } = await parsed(pairingText);
      if (anchorPin !== pinOf(new X509Certificate(identity.anchorPem))) throw ofAnotherServer();
      return post(OwnedDeviceSchema, '/v1/app/devices', { of, code });
    },
    updates: async () => (await read(OwnedUpdateListSchema, '/v1/app/updates')).updates,
    agreeToUpdate: async (id, from) => {
      const path = `${devicePath(id)}/update-consent`;
      await send({ method: 'POST', path, body: from === undefined ? {} : { from } });
    },
    release: async (id) => {
      await send({ method: 'POST', path: `${devicePath(id)}/release` });
    },
    invite: () => post(PairCodeSchema, '/v1/app/invitations'),
    apps: async () => (await read(OwnedAppListSchema, '/v1/app/apps')).apps,
    removeApp: async (id) => {
      const path = `/v1/app/apps/${encodeURIComponent(id)}`;
      await send({ method: 'DELETE', path });
    },
    renew: () => connection.ask(),
    close: () => connection.close(),
  };
}

async function newIdentity(
  transport: Transport,
  { url, anchorPem }: AppIdentity,
): Promise<AppIdentity> {
  const { keyPem, csrPem } = newAppKey();
  const request = { method: 'POST', path: '/v1/app/renew', body: { csr: csrPem } } as const;
  const renewed = parseAs(PairedAppSchema, (await transport.send(request)).text);
  return identityOf(renewed, { url, anchorPem, keyPem });
}

function identityOf(
  { app, certificate, broker }: PairedApp,
  own: Pick<AppIdentity, 'url' | 'anchorPem' | 'keyPem'>,
): AppIdentity {
  const { pem: certificatePem, notAfter } = certificate;
  return { ...own, app, certificatePem, notAfter, broker };
}

async function parsed(pairingText: string): Promise<NonNullable<ReturnType<typeof parsePairing>>> {
  // Clients that pair nothing, such as those of the command line, do without all that it brings.
  const protocol = await import('@holdfast/protocol');
  const pairing = protocol.parsePairing(pairingText);
  if (pairing !== undefined) return pairing;
  throw new ApiError({
    code: 'E_CLIENT_PAIRING',
    message: 'This is no pairing text.',
    fix: 'It begins with holdfast-pair/1/; scan it again.',
  });
}

/** The code is for the server that the text names, and for nobody else to redeem there. */
function ofAnotherServer(): ApiError {
  return new ApiError({
    code: 'E_CLIENT_PAIRING',
    message: 'This pairing text is of another server.',
    fix: 'Pair the app with that server: it needs an identity of its own there.',
  });
}

/** Fetches the trust anchor of a server; nothing secret is sent. @throws ApiError. */
async function fetchAnchor(url: string, anchorPin: string): Promise<string> {
  const { host } = new URL(url);
  const text = await fetchText(`${url}/v1/anchor`).catch((cause: unknown) => {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError({
      code: 'E_CLIENT_UNREACHABLE',
      message: `${host} cannot be reached.`,
      fix: 'Check that the server runs (holdfast up), and its address.',
      cause,
    });
  });
  const anchor = certificateOf(text);
  // The one certificate that is pinned, and not the text: more of them could stand in it.
  if (anchor !== undefined && pinOf(anchor) === anchorPin) return anchor.toString();
  throw new ApiError({
    code: 'E_CLIENT_UNTRUSTED',
    message: `${host} does not show the trust anchor that the pairing text names.`,
    fix: 'Make a new code on the device; if it stays, somebody is in between.',
  });
}

function pinOf({ raw }: X509Certificate): string {
  return createHash('sha256').update(raw).digest('base64url');
}

function certificateOf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(REQUEST_MS_MAX);
    // The chain cannot be verified yet: what takes its place is the pin of what is fetched.
    const options = { agent: false, minVersion: 'TLSv1.3', rejectUnauthorized: false } as const;
    const request = get(url, { ...options, signal }, (response) => {
      readText(response, ANCHOR_BYTES_MAX).then(resolve, reject);
    });
    request.on('error', reject);
  });
}

function devicePath(id: string): string {
  return `/v1/app/devices/${encodeURIComponent(id)}`;
}
