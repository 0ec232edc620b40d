/** What became of the updates of a device: each one from its assignment to its end. @module */
import { type UpdateStory, updateStepWords, updateStories } from '@holdfast/protocol';
import type { DeviceUpdateList, DeviceUpdateStep } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useAsk } from '../../../api/use-ask.ts';
import { Badge } from '../../../parts/badge.tsx';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { personName } from '../../../parts/person-name.ts';
import { exactText } from '../../../parts/time-text.ts';
import { Time } from '../../../parts/time.tsx';
import { pathOf } from '../use-device.ts';
import { stepTimes, stepTone, storyBadge, tookText, whyOf } from './update-words.ts';
import styles from './update-timeline.module.css';

/** Reports of a device are no events of the stream: they are asked for. */
const EVERY_MS = 10_000;

/** The panel. */
export function UpdateTimeline({ id }: { readonly id: string }): ReactNode {
  const { data, error } = useAsk<DeviceUpdateList>(`${pathOf(id)}/updates`, { everyMs: EVERY_MS });
  const stories = updateStories(data?.steps ?? []);
  return (
    <Panel
      title="Updates so far"
      note="Who assigned what, and what the device told of it, at the time when the server heard it."
      isFlush
    >
      <ProblemMessage error={error} />
      {data === undefined && error === null && <Loading what="its updates" />}
      {data !== undefined && stories.length === 0 && (
        <Empty title="It has had no update yet" actions={<Link to="/rollouts">See rollouts</Link>}>
          Assign a release above, or let a rollout reach it. What the device does then stands here,
          step by step.
        </Empty>
      )}
      {stories.map((story, at) => (
        <Story key={keyOfStory(story)} story={story} isNewest={at === 0} />
      ))}
      {data?.isComplete === false && (
        <p className={styles['older']}>
          Older steps are not kept of a device. Who assigned what before stands in the{' '}
          <Link to="/audit">audit log</Link>.
        </p>
      )}
    </Panel>
  );
}

/** Stays the same while steps come. */
function keyOfStory({ release, steps }: UpdateStory): string {
  return `${release ?? ''} ${steps[0]?.at ?? ''} ${steps[0]?.what ?? ''}`;
}

function Story({
  story,
  isNewest,
}: {
  readonly story: UpdateStory;
  readonly isNewest: boolean;
}): ReactNode {
  const { release = 'No release', steps } = story;
  const { word, tone } = storyBadge(story);
  const took = tookText(story);
  const times = stepTimes(steps);
  return (
    <details className={styles['story']} open={isNewest}>
      <summary className={styles['summary']}>
        <span className={styles['release']}>{release}</span>
        <Badge tone={tone}>{word}</Badge>
        <span className={styles['when']}>
          <Time at={steps.at(-1)?.at} />
          {took !== undefined && <>, took {took}</>}
        </span>
      </summary>
      <ol className={styles['steps']} aria-label={`Steps of the update to ${release}`}>
        {steps.map((step, at) => (
          <li key={`${step.at} ${at}`} className={styles['step']} data-tone={stepTone(step)}>
            <div className={styles['what']}>
              <span>{updateStepWords(step, story)}</span>
              <time
                className={styles['at']}
                dateTime={step.at}
                title={exactText(new Date(step.at))}
              >
                {times[at]}
              </time>
            </div>
            <About step={step} why={whyOf(steps, at)} />
          </li>
        ))}
      </ol>
    </details>
  );
}

/** By whom, or why. */
function About({
  step,
  why,
}: {
  readonly step: DeviceUpdateStep;
  readonly why: string | undefined;
}): ReactNode {
  if (step.what === 'told') {
    return why === undefined ? null : <p className={styles['about']}>{why}</p>;
  }
  if (step.what === 'agreed') return <p className={styles['about']}>by {step.by}</p>;
  const { by, rollout, reason } = step;
  return (
    <p className={styles['about']}>
      {rollout === undefined ? (
        `by ${personName(by)}`
      ) : (
        <>
          by <Link to={`/rollouts/${rollout}`}>rollout {rollout}</Link>
        </>
      )}
      {reason !== undefined && `: ${reason}`}
    </p>
  );
}
