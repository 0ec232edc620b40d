/** One rollout: its stages, its health, and what can be done about it. @module */
import type { RolloutView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { useParams } from 'react-router';
import { useAsk } from '../../api/use-ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { counted, countText } from '../../parts/number-text.ts';
import { Page } from '../../parts/page.tsx';
import { Panel } from '../../parts/panel.tsx';
import { personName } from '../../parts/person-name.ts';
import { spanText } from '../../parts/time-text.ts';
import { Time } from '../../parts/time.tsx';
import { HealthBar } from './health-bar.tsx';
import { RolloutActs } from './rollout-acts.tsx';
import { RolloutDevices } from './rollout-devices.tsx';
import { ROLLOUT_TONES, percentText, stageText } from './rollout-text.ts';

/** The page. */
export function RolloutPage(): ReactNode {
  const { id = '' } = useParams();
  const path = `/v1/rollouts/${encodeURIComponent(id)}`;
  const { data: rollout, error } = useAsk<RolloutView>(path, { everyMs: 5_000 });
  if (rollout === undefined) {
    return (
      <Page title="Rollout">
        {error === null ? <Loading what="the rollout" /> : <ProblemMessage error={error} />}
      </Page>
    );
  }
  return (
    <Page
      name={rollout.release}
      title={
        <>
          {rollout.release}{' '}
          <Badge tone={ROLLOUT_TONES[rollout.state]}>{rollout.state.replaceAll('-', ' ')}</Badge>
        </>
      }
      intro={
        <>
          {rollout.state.replaceAll('-', ' ')} since <Time at={rollout.stateAt} />, by{' '}
          {personName(rollout.stateBy)}
          {rollout.stateReason !== '' && `: ${rollout.stateReason}`}
        </>
      }
      actions={<RolloutActs rollout={rollout} />}
    >
      {!rollout.isInWindow && rollout.state === 'running' && (
        <Message tone="info" title="It waits for its window.">
          No device is offered the release outside the hours of the plan.
        </Message>
      )}
      <Panel title="Health" note={`${counted(rollout.devices, 'device')} in all.`}>
        <HealthBar counts={rollout.counts} />
        <Reasons rollout={rollout} />
      </Panel>
      <Stages rollout={rollout} />
      <RolloutDevices id={rollout.id} />
      <Rules rollout={rollout} />
    </Page>
  );
}

function Reasons({ rollout }: { readonly rollout: RolloutView }): ReactNode {
  if (rollout.reasons.length === 0) return null;
  return (
    <>
      <h3>Why devices failed or went back</h3>
      <ul>
        {rollout.reasons.map(({ why, count }) => (
          <li key={why}>
            {countText(count)} × {why || 'they told no reason'}
          </li>
        ))}
      </ul>
    </>
  );
}

function Stages({ rollout }: { readonly rollout: RolloutView }): ReactNode {
  const { plan, stages, stage: open, state } = rollout;
  return (
    <Panel title="Stages">
      <ol>
        {plan.stages.map((stage, at) => {
          const health = stages[at];
          const isOpen = at === open && (state === 'running' || state === 'paused');
          return (
            <li key={`${at}/${stageText(stage)}`}>
              <strong>{stageText(stage)}</strong>{' '}
              {isOpen && <Badge tone={ROLLOUT_TONES[state]}>now</Badge>}
              {health !== undefined && health.devices > 0 && <HealthBar counts={health.counts} />}
              {health !== undefined && health.overdue + health.silent > 0 && (
                <p>
                  {counted(health.overdue, 'device')} overdue, {countText(health.silent)} silent
                  since
                </p>
              )}
            </li>
          );
        })}
      </ol>
      {stages.length === 0 && <Empty title="No stage has begun." />}
    </Panel>
  );
}

function Rules({ rollout }: { readonly rollout: RolloutView }): ReactNode {
  const { pauseOn, needsConsent, groups, inProgressMax } = rollout.plan;
  const { failures, unconfirmedMs, silentMs, findings } = pauseOn;
  return (
    <Panel title="It pauses by itself when">
      <ul>
        <li>more than {percentText(failures)} of the devices of a stage fail or go back;</li>
        <li>one that has begun is not confirmed within {spanText(unconfirmedMs)};</li>
        {silentMs !== undefined && (
          <li>one that was updated is not heard of for {spanText(silentMs)};</li>
        )}
        {findings !== 'none' && (
          <li>one that was updated gets a finding of severity {findings} or above.</li>
        )}
      </ul>
      <p>
        {groups === undefined
          ? 'All devices of its hardware'
          : `Only the groups ${groups.join(', ')}`}
        {inProgressMax !== undefined && `, at most ${countText(inProgressMax)} at a time`}
        {needsConsent && '; owners are asked first'}.
      </p>
    </Panel>
  );
}
