/** All of the overview in one sentence. @module */
import type { Trouble } from '@holdfast/protocol/api';
import { counted } from '../../parts/number-text.ts';

/** What stands below the title of the page. */
export function headlineOf(troubles: readonly Pick<Trouble, 'severity'>[]): string {
  const critical = troubles.filter(({ severity }) => severity === 'critical').length;
  const warnings = troubles.filter(({ severity }) => severity === 'warning').length;
  if (critical > 0) {
    const rest = warnings === 0 ? '' : `, and ${counted(warnings, 'more thing')} to look at`;
    const needs = critical === 1 ? 'needs' : 'need';
    return `${counted(critical, 'thing')} ${needs} you now${rest}.`;
  }
  if (warnings > 0) {
    return `${counted(warnings, 'thing')} to look at. Everything else is well.`;
  }
  return 'How your devices and this server are at this moment.';
}
