/** The base score of a CVSS 3 vector. @see FIRST CVSS v3.1 Specification §7.1, §7.4 @module */

/** @returns 0 to 10; undefined when it is no vector of CVSS 3.0 or 3.1 */
export function cvss3Score(vector: string): number | undefined {
  if (!/^CVSS:3\.[01]\/[A-Z:/]{1,200}$/u.test(vector)) return undefined;
  const metrics = new Map(
    vector
      .split('/')
      .slice(1)
      .map((part) => [part.split(':')[0] ?? '', part.split(':')[1] ?? '']),
  );
  const isChanged = metrics.get('S') === 'C';
  const weight = (metric: string): number => {
    const table = metric === 'PR' && isChanged ? PRIVILEGES_CHANGED : WEIGHTS[metric];
    return table?.[metrics.get(metric) ?? ''] ?? Number.NaN;
  };
  const impactBase = 1 - (1 - weight('C')) * (1 - weight('I')) * (1 - weight('A'));
  const impact = isChanged
    ? 7.52 * (impactBase - 0.029) - 3.25 * (impactBase - 0.02) ** 15
    : 6.42 * impactBase;
  const ease = 8.22 * weight('AV') * weight('AC') * weight('PR') * weight('UI');
  const score = impact <= 0 ? 0 : roundUp(Math.min((isChanged ? 1.08 : 1) * (impact + ease), 10));
  const isWhole = !Number.isNaN(impact + ease) && ['U', 'C'].includes(metrics.get('S') ?? '');
  return isWhole ? score : undefined;
}

/** To one decimal, upwards; by whole numbers, as floats would round some scores too far. */
function roundUp(score: number): number {
  const whole = Math.round(score * 100_000);
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10;
}

const IMPACT = { H: 0.56, L: 0.22, N: 0 };
const WEIGHTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  PR: { N: 0.85, L: 0.62, H: 0.27 },
  UI: { N: 0.85, R: 0.62 },
  C: IMPACT,
  I: IMPACT,
  A: IMPACT,
};
const PRIVILEGES_CHANGED: Readonly<Record<string, number>> = { N: 0.85, L: 0.68, H: 0.5 };
