/** What was counted within one step of time. @module */
import { z } from 'zod';

/** A step: its number since 1970, and what was counted in it. */
export const FigureStepSchema = z.strictObject({
  /** The time at which it began, divided by the length of a step. */
  number: z.int().min(0),
  /** How much of it was looked at, in milliseconds: a server may have started in the middle. */
  ms: z.number().min(0),
  accepted: z.number().min(0),
  /** By code; codes without any are not there. */
  refused: z.record(z.string(), z.number().min(0)),
  /** Open connections, times the milliseconds that they were open. */
  connectionMs: z.number().min(0),
});
export type FigureStep = Readonly<z.infer<typeof FigureStepSchema>>;

/** What was counted between two looks. */
export type FigureSample = Omit<FigureStep, 'number'>;

/** Two parts of one step together. */
export function joined(step: FigureStep, sample: FigureSample): FigureStep {
  const refused = { ...step.refused };
  for (const [code, count] of Object.entries(sample.refused)) {
    refused[code] = (refused[code] ?? 0) + count;
  }
  return {
    number: step.number,
    ms: step.ms + sample.ms,
    accepted: step.accepted + sample.accepted,
    refused,
    connectionMs: step.connectionMs + sample.connectionMs,
  };
}

/** All refusals of a step. */
export function refusedOf({ refused }: Pick<FigureStep, 'refused'>): number {
  return Object.values(refused).reduce((sum, count) => sum + count, 0);
}
