/** Which refusals are shown, as it stands in the address of the page. Pure. @module */
import type { RefusalSpan, RefusalView } from '@holdfast/protocol/api';

/** How refusals are shown: one by one, or grouped. */
export type RefusalShape = 'newest' | 'device' | 'address' | 'code';

/** What is looked for; all of it has to fit. */
export interface RefusalFilter {
  readonly device: string;
  readonly address: string;
  readonly code: string;
}

/** What the address of the page says. */
export interface RefusalPlace extends RefusalFilter {
  readonly shape: RefusalShape;
  readonly span: RefusalSpan;
}

const SHAPES: readonly RefusalShape[] = ['newest', 'device', 'address', 'code'];
const SPANS: readonly RefusalSpan[] = ['hour', 'day', 'week'];

/** Reads it. What is no word of ours counts as not there. */
export function placeOf(parameters: URLSearchParams): RefusalPlace {
  const read = (name: string): string => parameters.get(name) ?? '';
  return {
    shape: SHAPES.find((shape) => shape === read('by')) ?? 'newest',
    span: SPANS.find((span) => span === read('span')) ?? 'day',
    device: read('device'),
    address: read('address'),
    code: read('code'),
  };
}

/** Writes it, without what goes without saying. */
export function parametersOf({ shape, span, ...filter }: RefusalPlace): URLSearchParams {
  const parameters = new URLSearchParams();
  if (shape !== 'newest') {
    parameters.set('by', shape);
    parameters.set('span', span);
    return parameters;
  }
  for (const [name, value] of Object.entries(filter)) {
    if (value !== '') parameters.set(name, value);
  }
  return parameters;
}

/** The question to the server. */
export function queryOf({ device, address, code }: RefusalFilter, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (device !== '') query.set('device', device);
  if (address !== '') query.set('address', address);
  if (code !== '') query.set('code', code);
  return query.toString();
}

/** Whether one that has just come is looked for, too. */
export function fits(refusal: RefusalView, { device, address, code }: RefusalFilter): boolean {
  if (code !== '' && refusal.code !== code) return false;
  if (address !== '' && refusal.address !== address) return false;
  return device === '' || refusal.principal === device || refusal.claimed === device;
}

/** Whether anything is looked for. */
export function isFiltered({ device, address, code }: RefusalFilter): boolean {
  return device !== '' || address !== '' || code !== '';
}

/** Whether a principal is a device: people, apps and the machine itself are told apart by name. */
export function isDevice(principal: string | undefined): principal is string {
  if (principal === undefined || principal === '') return false;
  return !principal.includes(':') && principal !== 'local' && principal !== 'server';
}
