/** Which refusals concern a device that is being connected for the first time. @module */
import type { RefusalView } from '@holdfast/protocol/api';

/** What is known of the device. */
export interface Suspect {
  readonly id: string;
  /** Where it was seen: its connections, and refusals that are its own. */
  readonly addresses: ReadonlySet<string>;
}

/** `own`: by its identity, proven or claimed. `perhaps`: by nobody who was proven, who may be it. */
export type Fit = 'own' | 'perhaps';

/** Stages that refuse before they know who it is. */
const NAMELESS = /^E_(?:WIRE|SESSION|ENROLL|INGEST)_/u;

/** How a refusal concerns the device; undefined when it does not. */
export function fitOf(refusal: RefusalView, { id, addresses }: Suspect): Fit | undefined {
  const { code, principal, claimed = '', address } = refusal;
  if (code.startsWith('E_OPERATE_')) return undefined;
  if (principal === id || claimed === id || claimed === `CN=${id}`) return 'own';
  if (principal !== undefined) return undefined;
  if (address !== undefined && addresses.has(address)) return 'perhaps';
  // While nothing is known of where it is, whoever knocks may be it.
  return addresses.size === 0 && NAMELESS.test(code) ? 'perhaps' : undefined;
}

/** Where a device was seen, by the refusals that are its own. */
export function addressesOf(
  refusals: readonly RefusalView[],
  id: string,
  known: readonly string[],
): ReadonlySet<string> {
  const nowhere: Suspect = { id, addresses: new Set() };
  const own = refusals.filter((refusal) => fitOf(refusal, nowhere) === 'own');
  return new Set([...known, ...own.flatMap(({ address }) => address ?? [])]);
}
