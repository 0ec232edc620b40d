/** Who somebody is, as people call them. @module */

/** "ann" for `person:ann`; what is no person keeps its kind, as `device:pump-1`. */
export function personName(principal: string): string {
  return principal.replace(/^person:/u, '');
}
