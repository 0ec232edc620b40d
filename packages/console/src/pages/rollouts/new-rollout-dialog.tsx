import type {
  ReleaseView,
  RolloutForecast,
  RolloutRequest,
  RolloutView,
} from '@holdfast/protocol/api';
/** Plans a rollout: which release, how carefully, and who would get it. @module */
import { Button, Group, Radio, Select, Stack, Switch } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import { ask } from '../../api/ask.ts';
import { keyOf, useAsk } from '../../api/use-ask.ts';
import { Dialog, type DialogProps } from '../../parts/dialog.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { Forecast } from './forecast.tsx';
import { PACES, type Pace, requestOf } from './paces.ts';

/** The dialog. */
export function NewRolloutDialog(props: DialogProps): ReactNode {
  return (
    <Dialog title="Plan a rollout" size="lg" {...props}>
      <NewRolloutForm onClose={props.onClose} />
    </Dialog>
  );
}

function NewRolloutForm({ onClose }: Pick<DialogProps, 'onClose'>): ReactNode {
  const navigate = useNavigate();
  const releases = useAsk<{ releases: ReleaseView[] }>('/v1/firmware/releases');
  const [release, setRelease] = useState<string | null>(null);
  const [pace, setPace] = useState<Pace>('careful');
  const [needsConsent, setNeedsConsent] = useState(false);
  const forecast = useAct((request: RolloutRequest) =>
    ask<RolloutForecast>('/v1/rollouts/plan', { method: 'POST', body: request }),
  );
  const make = useAct(
    (request: RolloutRequest) =>
      ask<RolloutView>('/v1/rollouts', { method: 'POST', body: request }),
    {
      changes: [keyOf('/v1/rollouts')],
      onDone: ({ id }) => void navigate(`/rollouts/${id}`),
    },
  );
  const request = release === null ? undefined : requestOf({ release, pace, needsConsent });
  const change = (set: () => void): void => {
    set();
    forecast.reset();
  };
  return (
    <Stack gap="md">
      <Select
        label="Release"
        description="Only what people have signed can be rolled out."
        data={releases.data?.releases.map(({ id }) => id).toReversed() ?? []}
        value={release}
        onChange={(value) => change(() => setRelease(value))}
        nothingFoundMessage="There is no such release"
        searchable
      />
      <Radio.Group
        label="How carefully"
        value={pace}
        onChange={(value) => {
          const known = PACES.find(({ name }) => name === value);
          if (known !== undefined) change(() => setPace(known.name));
        }}
      >
        <Stack gap="xs" mt="xs">
          {PACES.map(({ name, label, description }) => (
            <Radio key={name} value={name} label={label} description={description} />
          ))}
        </Stack>
      </Radio.Group>
      <Switch
        label="Ask owners first"
        description="Devices that somebody has paired wait for their owner's consent, for a week at most."
        checked={needsConsent}
        onChange={(event) => {
          const { checked } = event.currentTarget;
          change(() => setNeedsConsent(checked));
        }}
      />
      <ProblemMessage error={releases.error ?? forecast.problem ?? make.problem} />
      {forecast.result !== undefined && <Forecast forecast={forecast.result} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          variant="default"
          disabled={request === undefined}
          loading={forecast.isBusy}
          onClick={() => request && forecast.run(request)}
        >
          Who would get it?
        </Button>
        <Button
          disabled={forecast.result === undefined}
          loading={make.isBusy}
          onClick={() => request && make.run(request)}
        >
          Make the draft
        </Button>
      </Group>
    </Stack>
  );
}
