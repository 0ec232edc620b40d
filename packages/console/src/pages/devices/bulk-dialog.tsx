/** Does something to many devices: shows first what would come of it, and does exactly that. @module */
import type {
  BulkAct,
  ChangedDevices,
  DeviceActsPlan,
  DeviceActsPlanRequest,
  DeviceSelection,
} from '@holdfast/protocol/api';
import { Button, Modal, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import type { Problem } from '../../api/problem.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Loading } from '../../parts/empty.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { counted } from '../../parts/number-text.ts';
import { useAct } from '../../parts/use-act.tsx';
import { BulkPlan, BulkResult } from './bulk-plan.tsx';
import { BULK_WORDS } from './bulk-words.ts';

interface BulkDialogProps {
  readonly act: BulkAct;
  readonly select: DeviceSelection;
  /** What was done is on the disk: the selection has served its purpose. */
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** What an act needs beside its devices. */
type Details = Pick<DeviceActsPlanRequest, 'group' | 'tags'>;

/** The dialog: the plan, the question, the outcome. */
export function BulkDialog(props: BulkDialogProps): ReactNode {
  const { act, onClose } = props;
  const words = BULK_WORDS[act];
  const [details, setDetails] = useState<Details | undefined>(words.field ? undefined : {});
  if (details !== undefined) return <Planned {...props} details={details} />;
  return (
    <Modal opened onClose={onClose} title={words.label}>
      <DetailsForm act={act} onDetails={setDetails} />
    </Modal>
  );
}

function DetailsForm({
  act,
  onDetails,
}: {
  readonly act: BulkAct;
  readonly onDetails: (details: Details) => void;
}): ReactNode {
  const { field } = BULK_WORDS[act];
  const [text, setText] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onDetails(act === 'set-group' ? { group: text.trim() } : { tags: wordsIn(text) });
  };
  const isReady = act === 'set-group' || wordsIn(text).length > 0;
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          {...field}
          value={text}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" disabled={!isReady}>
          See what would change
        </Button>
      </Stack>
    </form>
  );
}

function wordsIn(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/u).filter((word) => word !== ''))];
}

function Planned({
  act,
  select,
  details,
  onDone,
  onClose,
}: BulkDialogProps & { readonly details: Details }): ReactNode {
  const words = BULK_WORDS[act];
  const wish = { act, select, ...details };
  const plan = useQuery<DeviceActsPlan, Problem>({
    queryKey: ['device-acts-plan', wish],
    queryFn: ({ signal }) =>
      ask<DeviceActsPlan>('/v1/device-acts/plan', { method: 'POST', body: wish, signal }),
    // What is agreed to is what was seen: it is not asked for again behind somebody's back.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const { run, isBusy, problem, result, reset } = useAct(
    ({ reason, expect }: { reason: string; expect: string }) =>
      ask<ChangedDevices>('/v1/device-acts', { method: 'POST', body: { ...wish, reason, expect } }),
    { changes: [keyOf('/v1/devices'), keyOf('/v1/device-facets'), keyOf('/v1/overview')] },
  );
  const planAgain = (): void => {
    reset();
    void plan.refetch();
  };
  if (result !== undefined) {
    return (
      <Modal opened onClose={onDone} title={words.label}>
        <BulkResult act={act} result={result} />
        <Button onClick={onDone} mt="md" data-autofocus>
          Done
        </Button>
      </Modal>
    );
  }
  const { data } = plan;
  if (data === undefined || data.changed === 0 || data.forbidden > 0) {
    return (
      <Modal opened onClose={onClose} title={words.label}>
        {plan.isPending && <Loading what="what would change" />}
        <ProblemMessage error={plan.error} />
        {data !== undefined && <BulkPlan act={act} plan={data} />}
      </Modal>
    );
  }
  return (
    <Confirm
      isOpen
      title={`${words.label}: ${counted(data.changed, 'device')}`}
      action={`${words.label}: ${counted(data.changed, 'device')}`}
      {...(words.isTyped === true && { typed: String(data.changed) })}
      asksReason
      isDangerous={words.isDangerous === true}
      isBusy={isBusy || plan.isFetching}
      problem={<ActProblem problem={problem} onAgain={planAgain} />}
      onConfirm={(reason) => run({ reason, expect: data.token })}
      onClose={onClose}
    >
      <BulkPlan act={act} plan={data} />
    </Confirm>
  );
}

function ActProblem({
  problem,
  onAgain,
}: {
  readonly problem: Problem | null;
  readonly onAgain: () => void;
}): ReactNode {
  if (problem?.code === 'E_OPERATE_SECOND_PERSON') {
    return (
      <Message tone="info" title="It waits for a second person.">
        {problem.message} Once somebody has approved it, do the same again, word for word.
      </Message>
    );
  }
  if (problem?.code !== 'E_OPERATE_CONFLICT') return <ProblemMessage error={problem} />;
  return (
    <Message
      tone="warn"
      title="Nothing was done: the devices have changed since this was shown."
      actions={
        <Button size="compact-sm" variant="default" onClick={onAgain}>
          Look again
        </Button>
      }
    >
      Something else would come of it by now than what you see here.
    </Message>
  );
}
