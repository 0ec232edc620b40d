/** Rollouts, as a part of the client. @module */
import {
  ChangedDeviceSchema,
  RolloutDeviceListSchema,
  RolloutForecastSchema,
  RolloutListSchema,
  RolloutViewSchema,
} from '@holdfast/protocol/api';
import type {
  ChangedDevice,
  ForwardRolloutRequest,
  RolloutDeviceList,
  RolloutDeviceQuery,
  RolloutForecast,
  RolloutRequest,
  RolloutView,
  SetHardwareRequest,
} from '@holdfast/protocol/api';
import type { z } from 'zod';

/** Releases for many devices, in stages. */
export interface RolloutClient {
  /** Says which kind of hardware a device is. */
  setDeviceHardware(id: string, request: SetHardwareRequest): Promise<ChangedDevice>;
  /** Newest first. */
  rollouts(): Promise<RolloutView[]>;
  rollout(id: string): Promise<RolloutView>;
  /** A page of its devices, in the order of their ids. */
  rolloutDevices(id: string, query?: RolloutDeviceQuery): Promise<RolloutDeviceList>;
  /** Who would get it, and who would not; nothing is done. */
  planRollout(request: RolloutRequest): Promise<RolloutForecast>;
  /** Makes a draft, which does nothing before it is started. */
  draftRollout(request: RolloutRequest): Promise<RolloutView>;
  startRollout(id: string, reason: string): Promise<RolloutView>;
  actOnRollout(id: string, act: 'pause' | 'resume' | 'abort', reason: string): Promise<RolloutView>;
  /** A newer release takes over the devices of a paused rollout. */
  forwardRollout(id: string, request: ForwardRolloutRequest): Promise<RolloutView>;
}

/** How requests are made. */
export interface RolloutCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
  readonly post: <T>(schema: z.ZodType<T>, path: string, body?: unknown) => Promise<T>;
}

/** Makes this part of the client. */
export function rolloutClient({ read, post }: RolloutCalls): RolloutClient {
  return {
    setDeviceHardware: (id, request) =>
      post(ChangedDeviceSchema, `/v1/devices/${encodeURIComponent(id)}/set-hardware`, request),
    rollouts: async () => (await read(RolloutListSchema, '/v1/rollouts')).rollouts,
    rollout: (id) => read(RolloutViewSchema, pathOf(id)),
    rolloutDevices: (id, { state, after, limit } = {}) => {
      const query = new URLSearchParams();
      if (state !== undefined) query.set('state', state);
      if (after !== undefined) query.set('after', after);
      if (limit !== undefined) query.set('limit', `${Number(limit)}`);
      return read(RolloutDeviceListSchema, `${pathOf(id)}/devices?${query.toString()}`);
    },
    planRollout: (request) => post(RolloutForecastSchema, '/v1/rollouts/plan', request),
    draftRollout: (request) => post(RolloutViewSchema, '/v1/rollouts', request),
    startRollout: (id, reason) => post(RolloutViewSchema, `${pathOf(id)}/start`, { reason }),
    actOnRollout: (id, act, reason) => post(RolloutViewSchema, `${pathOf(id)}/${act}`, { reason }),
    forwardRollout: (id, request) => post(RolloutViewSchema, `${pathOf(id)}/forward`, request),
  };
}

function pathOf(id: string): string {
  return `/v1/rollouts/${encodeURIComponent(id)}`;
}
