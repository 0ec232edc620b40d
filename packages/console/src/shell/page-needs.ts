/** Which pages a person can use: what of them the policy has to permit. @module */

/**
 * Actions of the policy, of which one is enough, by the first part of the path. A page that is not
 * here is for everybody, because something of one's own is on it.
 */
const PAGE_NEEDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['', ['server:read']],
  ['audit', ['audit:read']],
  ['devices', ['device:read']],
  ['firmware', ['firmware:read']],
  ['people', ['person:read']],
  ['refusals', ['refusal:read']],
  ['rollouts', ['firmware:read']],
  ['welcome', ['device:claim']],
]);

/**
 * The actions of which a person lacks all, so that the page is of no use to them; undefined when
 * they can use it.
 * @param may - as `GET /v1/me` tells it; undefined from a server that does not, which refuses itself.
 */
export function lackingFor(
  path: string,
  may: readonly string[] | undefined,
): readonly string[] | undefined {
  const needs = PAGE_NEEDS.get(path.split('/')[1] ?? '');
  if (needs === undefined || may === undefined) return undefined;
  return needs.some((action) => may.includes(action)) ? undefined : needs;
}
