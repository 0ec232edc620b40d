/** Events: what the server notices of itself, such as a clock that jumps. @module */
import type { Entry, EventName } from '@holdfast/protocol';
import { z } from 'zod';

/** Something that happened to the server, by nobody's act. */
export interface ServerEvent {
  /** `clock.jump`, `server.unclean-stop`, `registry.mark`. */
  readonly name: EventName;
  /** What else matters. No secrets. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

/** Puts an event on the audit log; resolves once it is durable. */
export type RecordEvent = (event: ServerEvent) => Promise<void>;

/** Notes from time to time how often the registry was changed; of no interest to people. */
export const REGISTRY_MARK = 'registry.mark';

/** The audit entry of an event, with how often the registry had been changed by then. */
export function eventEntry({ name, facts }: ServerEvent, atMs: number, generation: number): Entry {
  const body = Buffer.from(JSON.stringify({ facts, registry: generation }), 'utf8');
  return { kind: 'event', atMs, principal: 'server', topic: name, kid: '', body };
}

const GenerationSchema = z.object({ registry: z.int().min(0) });

/** How often the registry had been changed when this act or event was recorded. */
export function generationIn({ kind, body }: Pick<Entry, 'kind' | 'body'>): number | undefined {
  if (kind !== 'act' && kind !== 'event') return undefined;
  try {
    const parsed = GenerationSchema.safeParse(JSON.parse(Buffer.from(body).toString('utf8')));
    return parsed.data?.registry;
  } catch {
    return undefined;
  }
}
