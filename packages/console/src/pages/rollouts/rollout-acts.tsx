import type { RolloutStateName, RolloutView } from '@holdfast/protocol/api';
/** What can be done about a rollout in its state. @module */
import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';

interface Act {
  readonly name: 'start' | 'pause' | 'resume' | 'abort';
  readonly label: string;
  readonly effect: string;
  readonly states: readonly RolloutStateName[];
  readonly isDangerous?: boolean;
}

const ACTS: readonly Act[] = [
  {
    name: 'start',
    label: 'Start',
    effect: 'Devices of the first stage are offered the release from now on.',
    states: ['draft', 'waiting-approval'],
  },
  {
    name: 'pause',
    label: 'Pause',
    effect: 'No further device is offered the release. Those that have begun finish.',
    states: ['running'],
  },
  {
    name: 'resume',
    label: 'Resume',
    effect: 'It goes on, with the troubles that it has had so far accepted.',
    states: ['paused'],
  },
  {
    name: 'abort',
    label: 'Abort',
    effect: 'It ends for good. Devices that have begun finish; the others keep what they run.',
    states: ['waiting-approval', 'running', 'paused'],
    isDangerous: true,
  },
];

/** The buttons. */
export function RolloutActs({ rollout }: { readonly rollout: RolloutView }): ReactNode {
  const [chosen, setChosen] = useState<Act | undefined>();
  const path = `/v1/rollouts/${rollout.id}`;
  const { run, isBusy, problem, reset } = useAct(
    (reason: string) => ask(`${path}/${chosen?.name}`, { method: 'POST', body: { reason } }),
    { changes: [keyOf('/v1/rollouts')], onDone: () => setChosen(undefined) },
  );
  const close = (): void => {
    setChosen(undefined);
    reset();
  };
  return (
    <>
      {ACTS.filter(({ states }) => states.includes(rollout.state)).map((act) => (
        <Button
          key={act.name}
          variant={act.isDangerous === true ? 'default' : 'filled'}
          {...(act.isDangerous === true && { c: 'var(--holdfast-bad)' })}
          onClick={() => setChosen(act)}
        >
          {act.label}
        </Button>
      ))}
      <Confirm
        isOpen={chosen !== undefined}
        title={`${chosen?.label} the rollout of ${rollout.release}`}
        action={chosen?.label ?? ''}
        asksReason
        isDangerous={chosen?.isDangerous === true}
        isBusy={isBusy}
        problem={<ProblemMessage error={problem} />}
        onConfirm={run}
        onClose={close}
      >
        {chosen?.effect}
      </Confirm>
    </>
  );
}
