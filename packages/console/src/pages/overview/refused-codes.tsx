/** What was refused in a span of time, by reason. @module */
import { type FigureSpan, OTHER_CODES, REFUSAL_CODES } from '@holdfast/protocol';
import type { Figures } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { countText } from '../../parts/number-text.ts';
import { SPAN_WORDS } from './figures-text.ts';
import styles from './overview.module.css';

/** Each reason leads to its refusals. */
export function RefusedCodes({
  span,
  byCode,
  summary,
}: {
  readonly span: FigureSpan;
  readonly byCode: Figures['byCode'];
  /** What is said when nothing is known by reason. */
  readonly summary: string;
}): ReactNode {
  if (byCode.length === 0) return <p className={styles['readout']}>{summary}</p>;
  return (
    <div>
      <h3 className={styles['heading']}>Refused in {SPAN_WORDS[span]}, by reason</h3>
      <ul className={styles['list']}>
        {byCode.map(({ code, total }) => (
          <li key={code} className={styles['row']}>
            <span className={styles['what']}>
              {code === OTHER_CODES ? (
                'Other reasons'
              ) : (
                <Link to={`/refusals?code=${code}`}>{whatOf(code)}</Link>
              )}
            </span>
            <span className={styles['count']}>{countText(total)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The code itself, when a newer server knows one that this page does not. */
function whatOf(code: string): string {
  const meanings: Readonly<Record<string, { readonly what: string }>> = REFUSAL_CODES;
  return meanings[code]?.what ?? code;
}
