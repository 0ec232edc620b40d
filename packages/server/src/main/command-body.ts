/** Reads the command that a person publishes. @module */
import { type Refusal, refuse } from '@holdfast/protocol';

/** The JSON object of a payload; an empty payload is a command without content. */
export function parseCommandBody(payload: Uint8Array): Record<string, unknown> | Refusal {
  if (payload.length === 0) return {};
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(payload);
    const body: unknown = JSON.parse(text);
    if (isObject(body)) return body;
  } catch {
    // Falls through: what cannot be read is no object either.
  }
  return refuse('E_OPERATE_INPUT', 'a command is a JSON object in UTF-8, or empty');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
