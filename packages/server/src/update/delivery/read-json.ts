/** Reads small JSON bodies of devices. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { ZodType } from 'zod';
import type { BodyReader } from '../../ingest/index.ts';

/** Where the body comes from, and how much of it may come. */
export interface JsonSource {
  readonly request: Request;
  readonly bodies: BodyReader;
  readonly bytesMax: number;
}

/** Reads a body of a shape, or refuses: `E_UPDATE_INPUT`, or `E_INGEST_…` for its size. */
export async function readJson<T>(
  { request, bodies, bytesMax }: JsonSource,
  schema: ZodType<T>,
): Promise<T | Refusal> {
  const body = await bodies.read(request, bytesMax);
  if (body instanceof Refusal) return body;
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(body.bytes).toString('utf8')));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return refuse('E_UPDATE_INPUT', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  } catch {
    return refuse('E_UPDATE_INPUT', 'the body is no JSON');
  } finally {
    body.release();
  }
}

/** What to answer when a body was refused. */
export function statusOf({ code }: Refusal): 400 | 413 | 503 {
  if (code === 'E_INGEST_SIZE') return 413;
  return code === 'E_INGEST_BUSY' ? 503 : 400;
}
