/** The whole server at a glance, as a part of the client. @module */
import {
  FiguresSchema,
  OverviewSchema,
  RefusalListSchema,
  RefusalSummarySchema,
} from '@holdfast/protocol/api';
import type {
  FigureSpan,
  Figures,
  Overview,
  RefusalList,
  RefusalQuery,
  RefusalSummary,
  RefusalSummaryQuery,
} from '@holdfast/protocol/api';
import type { z } from 'zod';
import { queryText } from './series-client.ts';

/** What is wrong, how it goes, and what was refused. */
export interface OverviewClient {
  /** How everything is, what is wrong first. */
  overview(): Promise<Overview>;
  /** What was counted in the last hour, day or month. */
  figures(span: FigureSpan): Promise<Figures>;
  /** Refusals that fit, newest first: give `next` as `before` to look further back. */
  findRefusals(query: RefusalQuery): Promise<RefusalList>;
  /** Refusals counted by device, address or code. */
  refusalSummary(query: RefusalSummaryQuery): Promise<RefusalSummary>;
}

/** How requests are made. */
export interface OverviewCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
}

/** Makes this part of the client. */
export function overviewClient({ read }: OverviewCalls): OverviewClient {
  return {
    overview: () => read(OverviewSchema, '/v1/overview'),
    figures: (span) => read(FiguresSchema, `/v1/figures${queryText({ span })}`),
    findRefusals: (query) => read(RefusalListSchema, `/v1/refusals${queryText(query)}`),
    refusalSummary: (query) =>
      read(RefusalSummarySchema, `/v1/refusals/summary${queryText(query)}`),
  };
}
