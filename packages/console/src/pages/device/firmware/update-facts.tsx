/** How the firmware of a device stands. @module */
import type { DeviceUpdateView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Badge } from '../../../parts/badge.tsx';
import { CopyText } from '../../../parts/copy.tsx';
import { Fact, Facts } from '../../../parts/facts.tsx';
import { Time } from '../../../parts/time.tsx';
import type { Tone } from '../../../parts/tone.ts';
import { whoText } from '../../audit/act-text.ts';
import { updateSteps } from './update-steps.ts';
import tables from '../../../parts/table.module.css';
import styles from './update-facts.module.css';

/** What it runs, what it is to run, and what it told last. */
export function UpdateFacts({
  update: { assigned, reported },
  hardware,
}: {
  readonly update: DeviceUpdateView;
  readonly hardware: string | undefined;
}): ReactNode {
  return (
    <>
      {reported !== undefined && <Steps state={reported.state} release={reported.release} />}
      <Facts>
        <Fact name="Runs">
          {reported?.runs === undefined ? (
            'no release that is known here'
          ) : (
            <Release id={reported.runs} />
          )}
        </Fact>
        {reported?.running !== undefined && (
          <Fact name="SHA-256 of its image">
            <CopyText value={reported.running} label="the hash of the image" />
          </Fact>
        )}
        <Fact name="Is to run">
          {assigned === undefined ? (
            'nothing else than now'
          ) : (
            <>
              <Release id={assigned.release} />, since <Time at={assigned.since} />, by{' '}
              {whoText({ principal: assigned.by })}
              {!assigned.isPublished && ', but people took the release back'}
            </>
          )}
        </Fact>
        <Fact name="It told last">
          {reported === undefined ? (
            'nothing: it may have no update agent'
          ) : (
            <>
              <Badge tone={toneOf(reported.state)}>{reported.state}</Badge>{' '}
              {reported.release !== '' && <>of {reported.release}</>} since{' '}
              <Time at={reported.since} />, heard <Time at={reported.at} />
            </>
          )}
        </Fact>
        {reported?.why !== undefined && <Fact name="Why">{reported.why}</Fact>}
        <Fact name="Hardware">{hardware ?? reported?.hardware ?? 'not known'}</Fact>
        {reported?.counter !== undefined && (
          <Fact name="Security counter">
            {reported.counter}: it refuses an image with a lower one
          </Fact>
        )}
      </Facts>
    </>
  );
}

function Release({ id }: { readonly id: string }): ReactNode {
  return <Link to="/firmware">{id}</Link>;
}

function toneOf(state: string): Tone {
  if (state === 'confirmed') return 'good';
  if (state === 'failed' || state === 'reverted' || state === 'reverting') return 'bad';
  return state === 'idle' ? 'calm' : 'info';
}

const STEP_WORDS = { done: 'done', now: 'now', open: 'to come', failed: 'failed' } as const;

function Steps({
  state,
  release,
}: {
  readonly state: string;
  readonly release: string;
}): ReactNode {
  const steps = updateSteps(state);
  if (steps.length === 0) return null;
  return (
    <ol className={styles['steps']} aria-label={`How far the update to ${release} has come`}>
      {steps.map((step) => (
        <li key={step.label} className={styles['step']} data-state={step.state}>
          {step.label}
          <span className={tables['unseen']}>, {STEP_WORDS[step.state]}</span>
        </li>
      ))}
    </ol>
  );
}
