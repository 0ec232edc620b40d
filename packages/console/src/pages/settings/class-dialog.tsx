import type { ClassRules, ClassView } from '@holdfast/protocol/api';
/** Changes what a class asks of its devices. @module */
import { Modal, NumberInput, Stack, Switch } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { DialogButtons } from '../../parts/dialog.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { counted } from '../../parts/number-text.ts';
import { useAct } from '../../parts/use-act.tsx';

/** The dialog. */
export function ClassDialog({
  view,
  onClose,
}: {
  readonly view: ClassView;
  readonly onClose: () => void;
}): ReactNode {
  const [requiresApiKey, setRequiresApiKey] = useState(view.requiresApiKey);
  const [lateHours, setLateHours] = useState<number | string>(view.lateHours);
  const [ageDays, setAgeDays] = useState<number | string>(view.retention?.ageDays ?? '');
  const { run, isBusy, problem } = useAct(
    (rules: ClassRules) => ask(`/v1/classes/${view.name}`, { method: 'PUT', body: rules }),
    { changes: [keyOf(`/v1/classes/${view.name}`)], onDone: onClose },
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    run({
      requiresApiKey,
      lateHours: Number(lateHours),
      retention: { ageDays: ageDays === '' ? null : Number(ageDays) },
    });
  };
  const closesSome = requiresApiKey && !view.requiresApiKey && view.withoutApiKeyCount > 0;
  const isShorter = ageDays !== '' && Number(ageDays) < (view.retention?.ageDays ?? Infinity);
  return (
    <Modal opened onClose={onClose} title={`Devices of class ${view.name}`}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <Switch
            label="Must show an API key beside the certificate"
            checked={requiresApiKey}
            onChange={(event) => setRequiresApiKey(event.currentTarget.checked)}
          />
          {closesSome && (
            <Message tone="warn">
              {counted(view.withoutApiKeyCount, 'device')} without one lose their connection at
              once.
            </Message>
          )}
          <NumberInput
            label="Late messages, hours"
            description="How old a message may be that was held back on its way; 0 refuses all."
            min={0}
            max={8_760}
            value={lateHours}
            onChange={setLateHours}
          />
          <NumberInput
            label="Keep messages, days"
            description="Empty: for ever."
            min={1}
            max={36_500}
            value={ageDays}
            onChange={setAgeDays}
          />
          {isShorter && (
            <Message tone="warn">
              What is older is removed for good within the hour. What was rolled up of it stays as
              long as it is set to.
            </Message>
          )}
          <ProblemMessage error={problem} />
          <DialogButtons action="Change" isBusy={isBusy} onClose={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}
