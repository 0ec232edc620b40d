import type { CreatedToken } from '@holdfast/protocol/api';
/** Makes an API token, and shows it this once. @module */
import { Button, Group, MultiSelect, Radio, Select, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { useMe } from '../../api/use-me.ts';
import { CodeBlock } from '../../parts/copy.tsx';
import { Dialog, DialogButtons, type DialogProps } from '../../parts/dialog.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { Time } from '../../parts/time.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { CHOSEN_MAX, type Extent, type ScopeWish, isScopeComplete, scopeOf } from './scope-wish.ts';

const DAY_MS = 86_400_000;
const LIVES = [
  { value: String(DAY_MS), label: 'a day' },
  { value: String(7 * DAY_MS), label: 'a week' },
  { value: String(30 * DAY_MS), label: '30 days' },
  { value: String(90 * DAY_MS), label: '90 days' },
];

const EXTENTS = [
  ['all', 'Everything that you may', 'But no act that asks for a second factor.'],
  ['reads', 'Read only', 'It changes nothing.'],
  ['chosen', 'Chosen actions', 'Of those that you may do.'],
] as const satisfies readonly (readonly [Extent, string, string])[];

const NO_LIMIT: ScopeWish = { extent: 'all', actions: [], group: '' };

/** The dialog. */
export function NewTokenDialog(props: DialogProps): ReactNode {
  return (
    <Dialog title="Make an API token" {...props}>
      <NewTokenForm onClose={props.onClose} />
    </Dialog>
  );
}

function NewTokenForm({ onClose }: Pick<DialogProps, 'onClose'>): ReactNode {
  const [label, setLabel] = useState('');
  const [life, setLife] = useState<string | null>(String(30 * DAY_MS));
  const [wish, setWish] = useState(NO_LIMIT);
  const { run, isBusy, problem, result } = useAct(
    () =>
      ask<CreatedToken>('/v1/tokens', {
        method: 'POST',
        body: { label: label.trim(), lifeMs: Number(life), scope: scopeOf(wish) },
      }),
    { changes: [keyOf('/v1/tokens')] },
  );
  if (result !== undefined) return <Made token={result} onClose={onClose} />;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    run(undefined);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label="What it is for"
          description="So that it is recognized in the list, such as “nightly report”."
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
          maxLength={64}
          required
          data-autofocus
        />
        <Select
          label="Ends after"
          data={LIVES}
          value={life}
          onChange={setLife}
          allowDeselect={false}
        />
        <ScopeFields wish={wish} onChange={setWish} />
        <ProblemMessage error={problem} />
        <DialogButtons
          action="Make"
          isBusy={isBusy}
          isDisabled={label.trim() === '' || !isScopeComplete(wish)}
          onClose={onClose}
        />
      </Stack>
    </form>
  );
}

function ScopeFields({
  wish,
  onChange,
}: {
  readonly wish: ScopeWish;
  readonly onChange: (wish: ScopeWish) => void;
}): ReactNode {
  const { data: me } = useMe();
  const choose = (value: string): void => {
    const extent = EXTENTS.find(([each]) => each === value)?.[0];
    if (extent !== undefined) onChange({ ...wish, extent });
  };
  return (
    <>
      <Radio.Group label="What it may do" value={wish.extent} onChange={choose}>
        <Stack gap="xs" mt="xs">
          {EXTENTS.map(([value, title, description]) => (
            <Radio key={value} value={value} label={title} description={description} />
          ))}
        </Stack>
      </Radio.Group>
      {wish.extent === 'chosen' && (
        <MultiSelect
          label="Actions"
          description="As the policy names them."
          data={[...(me?.may ?? [])]}
          value={[...wish.actions]}
          onChange={(actions) => onChange({ ...wish, actions })}
          maxValues={CHOSEN_MAX}
          nothingFoundMessage="You may do no such action."
          searchable
          required
        />
      )}
      <TextInput
        label="Only for devices of this group"
        description="Then it is good for nothing else. Empty: for every device that you may see."
        value={wish.group}
        onChange={(event) => onChange({ ...wish, group: event.currentTarget.value })}
        maxLength={64}
      />
    </>
  );
}

function Made({
  token,
  onClose,
}: {
  readonly token: CreatedToken;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Stack gap="md">
      <CodeBlock code={token.token} label="the token" />
      <Message tone="warn" title="It is shown this once.">
        Keep it where the program reads it: in a file of mode 0600 or a vault, never in a URL, a
        command line or a repository. It ends <Time at={token.expiresAt} />.
      </Message>
      <Group justify="flex-end">
        <Button onClick={onClose}>I have kept it</Button>
      </Group>
    </Stack>
  );
}
