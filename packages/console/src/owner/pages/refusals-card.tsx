/** What was refused of a device in the last day: what it could mean, and what to do. @module */
import type { OwnedDevice } from '@holdfast/protocol/api';
import { useQuery } from '@tanstack/react-query';
import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useNowMs } from '../../parts/use-now.ts';
import { listRefusals } from '../owner-api.ts';
import { inWords, nothingRefusedText } from '../parts/refusal-words.ts';
import { RENEWED_MS, When } from '../parts/when.tsx';
import controls from '../parts/controls.module.css';
import styles from './refusals-card.module.css';

const ASKED_EVERY_MS = 30_000;
/** Nearer to each other, two times read alike. */
const TOLD_APART_MS = 60_000;
const ICONS = { bad: CircleAlert, warn: TriangleAlert, calm: Info, info: Info, good: Info };

export function RefusalsCard({
  device: { id, since: pairedAt },
}: {
  readonly device: Pick<OwnedDevice, 'id' | 'since'>;
}): ReactNode {
  const nowMs = useNowMs(RENEWED_MS);
  const { data } = useQuery({
    queryKey: ['refusals', id],
    queryFn: () => listRefusals(id),
    refetchInterval: ASKED_EVERY_MS,
  });
  // While nobody knows, nothing is said: that nothing was refused would be a claim.
  if (data === undefined) return null;
  const refusals = inWords(data.refusals);
  if (refusals.length === 0) {
    return <p className={controls['quiet']}>{nothingRefusedText(data, { pairedAt, nowMs })}</p>;
  }
  return (
    <section className={controls['card']} aria-labelledby="refused">
      <div>
        <h2 id="refused">Refused in the last day</h2>
        <p className={controls['quiet']}>
          The server believes nothing that it cannot check. What you see of this device is what was
          left.
        </p>
        {/* Changes when something is refused, and not with each minute that passes. */}
        <p className={controls['hidden']} role="status">
          {refusals.map(({ what }) => `${what}.`).join(' ')}
        </p>
      </div>
      <ul className={controls['stack']}>
        {refusals.map(({ kind, firstAt, lastAt, what, couldMean, toDo, tone }) => {
          const Icon = ICONS[tone];
          return (
            <li key={kind} className={styles['refusal']} data-tone={tone}>
              <Icon size={18} aria-hidden="true" className={styles['icon']} />
              <div>
                <h3>{what}</h3>
                <p className={controls['quiet']}>
                  <When at={lastAt} />
                  {Date.parse(lastAt) - Date.parse(firstAt) >= TOLD_APART_MS && (
                    <>
                      , the first one <When at={firstAt} />
                    </>
                  )}
                </p>
                <p className={styles['meaning']}>{couldMean}</p>
                <p className={styles['meaning']}>
                  <strong>What to do:</strong> {toDo}
                </p>
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
