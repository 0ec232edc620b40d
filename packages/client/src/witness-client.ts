/** The tree of the log and its witnesses, as a part of the client. @module */
import {
  TakenCosignaturesSchema,
  WitnessListSchema,
  WitnessViewSchema,
} from '@holdfast/protocol/api';
import type { WitnessView } from '@holdfast/protocol/api';
import type { TileName } from '@holdfast/protocol/merkle';
import type { z } from 'zod';
import { parseAs } from './event-stream.ts';
import type { ApiRequest, ApiResponse } from './transport.ts';

/** What a witness needs of a server, and who the witnesses are. */
export interface WitnessClient {
  /** In the order of their names. */
  witnesses(): Promise<WitnessView[]>;
  /** Lets the cosignatures of a witness count; `key` is in its text form. */
  addWitness(key: string): Promise<WitnessView>;
  removeWitness(id: string): Promise<void>;
  /** A tile of the tree of the log, its hashes one after another. C2SP tlog-tiles. */
  logTile(name: TileName): Promise<Uint8Array>;
  /** Hands over a checkpoint of the log that a witness has cosigned. */
  cosigned(checkpoint: string): Promise<WitnessView[]>;
}

/** How requests are made. */
export interface WitnessCalls {
  readonly send: (request: ApiRequest) => Promise<ApiResponse>;
  readonly bytes: (path: string) => Promise<Uint8Array>;
}

/** Makes this part of the client. */
export function witnessClient({ send, bytes }: WitnessCalls): WitnessClient {
  const json = async <T>(schema: z.ZodType<T>, request: ApiRequest): Promise<T> =>
    parseAs(schema, (await send(request)).text);
  return {
    witnesses: async () =>
      (await json(WitnessListSchema, { method: 'GET', path: '/v1/witnesses' })).witnesses,
    addWitness: (key) =>
      json(WitnessViewSchema, { method: 'POST', path: '/v1/witnesses', body: { key } }),
    removeWitness: async (id) => {
      await send({ method: 'DELETE', path: `/v1/witnesses/${encodeURIComponent(id)}` });
    },
    logTile: async (name) => {
      // Only a witness needs the Merkle log.
      const { tilePath } = await import('@holdfast/protocol/merkle');
      return bytes(`/v1/log/${tilePath(name)}`);
    },
    cosigned: async (checkpoint) => {
      const request = {
        method: 'POST',
        path: '/v1/log/cosignatures',
        body: { checkpoint },
      } as const;
      return (await json(TakenCosignaturesSchema, request)).witnesses;
    },
  };
}
