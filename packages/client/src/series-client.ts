/** Time series of what devices report, as a part of the client. @module */
import { LatestListSchema, SeriesListSchema, SeriesPageSchema } from '@holdfast/protocol/api';
import type {
  LatestList,
  LatestQuery,
  PointsQuery,
  SeriesListView,
  SeriesPage,
} from '@holdfast/protocol/api';
import type { z } from 'zod';

/** Numbers that devices report, by name and time. */
export interface SeriesClient {
  /** The series of a device, in the order of their names. */
  series(id: string): Promise<SeriesListView>;
  /** A page of a series, oldest first: give its `next` as `after` for the one behind it. */
  seriesPoints(id: string, query: PointsQuery): Promise<SeriesPage>;
  /** A page of the last values of many devices. */
  latestReadings(query?: LatestQuery): Promise<LatestList>;
}

/** How requests are made. */
export interface SeriesCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
}

/** Makes this part of the client. */
export function seriesClient({ read }: SeriesCalls): SeriesClient {
  const path = (id: string): string => `/v1/devices/${encodeURIComponent(id)}/series`;
  return {
    series: (id) => read(SeriesListSchema, path(id)),
    seriesPoints: (id, query) => read(SeriesPageSchema, `${path(id)}/points${queryText(query)}`),
    latestReadings: (query = {}) =>
      read(LatestListSchema, `/v1/readings/latest${queryText(query)}`),
  };
}

/** What follows a path: those parameters that are there. */
export function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
