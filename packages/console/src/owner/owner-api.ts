/** What the pages ask of the server, as the app of this phone. @module */
import type {
  LatestList,
  LatestView,
  OwnedApp,
  OwnedAppList,
  OwnedCommandList,
  OwnedDevice,
  OwnedDeviceList,
  OwnedRefusalList,
  OwnedUpdate,
  PairCode,
  ReadingView,
  SendCommandRequest,
  SentCommand,
  SeriesListView,
  SeriesPage,
} from '@holdfast/protocol/api';
import { ask, askProven } from './identity/app-session.ts';

const devicePath = (id: string): string => `/v1/app/devices/${encodeURIComponent(id)}`;

export async function listDevices(): Promise<readonly OwnedDevice[]> {
  return (await ask<OwnedDeviceList>('/v1/app/devices')).devices;
}

export function readDevice(id: string): Promise<OwnedDevice> {
  return ask<OwnedDevice>(devicePath(id));
}

/** The last values of all devices. */
export async function latestValues(): Promise<ReadonlyMap<string, LatestView['values']>> {
  const found = new Map<string, LatestView['values']>();
  let after: string | undefined;
  do {
    const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
    const page: LatestList = await ask<LatestList>(`/v1/app/readings/latest${query}`);
    for (const { device, values } of page.latest) found.set(device, values);
    after = page.next;
  } while (after !== undefined);
  return found;
}

export function listSeries(id: string): Promise<SeriesListView> {
  return ask<SeriesListView>(`${devicePath(id)}/series`);
}

export function readPoints(
  id: string,
  query: Readonly<Record<string, string>>,
): Promise<SeriesPage> {
  return ask<SeriesPage>(`${devicePath(id)}/series/points?${new URLSearchParams(query)}`);
}

export async function listReadings(id: string, limit: number): Promise<readonly ReadingView[]> {
  const path = `${devicePath(id)}/readings?limit=${limit}`;
  return (await ask<{ readings: readonly ReadingView[] }>(path)).readings;
}

/** Where the readings of a device come live. */
export function readingStreamPath(id: string): string {
  return `${devicePath(id)}/readings/stream`;
}

/** What was refused of a device in the last day. */
export function listRefusals(id: string): Promise<OwnedRefusalList> {
  return ask<OwnedRefusalList>(`${devicePath(id)}/refusals`);
}

export function listCommands(id: string): Promise<OwnedCommandList> {
  return ask<OwnedCommandList>(`${devicePath(id)}/commands?limit=10`);
}

export function sendCommand(id: string, body: SendCommandRequest): Promise<SentCommand> {
  return ask<SentCommand>(`${devicePath(id)}/commands`, { method: 'POST', body });
}

export async function listUpdates(): Promise<readonly OwnedUpdate[]> {
  return (await ask<{ updates: readonly OwnedUpdate[] }>('/v1/app/updates')).updates;
}

/** Agrees to an update: now, or from a time on (ISO 8601). */
export function agreeToUpdate(id: string, from?: string): Promise<void> {
  const body = from === undefined ? {} : { from };
  return ask(`${devicePath(id)}/update-consent`, { method: 'POST', body });
}

export function giveAway(id: string): Promise<void> {
  return askProven(`${devicePath(id)}/release`, { method: 'POST' });
}

export async function listPhones(): Promise<readonly OwnedApp[]> {
  return (await ask<OwnedAppList>('/v1/app/apps')).apps;
}

export function removePhone(id: string): Promise<void> {
  return askProven(`/v1/app/apps/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

export function invitePhone(): Promise<PairCode> {
  return askProven<PairCode>('/v1/app/invitations', { method: 'POST' });
}
