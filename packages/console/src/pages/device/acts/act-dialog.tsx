/** Asks before an act, does it, and shows what it gives. @module */
import type {
  ClaimedDevice,
  DevicePossibility,
  DeviceView,
  ErasedDevice,
  PairCode,
} from '@holdfast/protocol/api';
import { Modal, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../../api/ask.ts';
import { keyOf } from '../../../api/use-ask.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { Message, ProblemMessage } from '../../../parts/message.tsx';
import { useAct } from '../../../parts/use-act.tsx';
import { pathOf } from '../use-device.ts';
import { ClaimSecret, PairSecret } from './act-secrets.tsx';
import { ACT_WORDS, type MenuAct, tagsIn } from './act-words.ts';

interface ActDialogProps {
  readonly act: MenuAct;
  readonly device: DeviceView;
  readonly needs: DevicePossibility['needs'];
  readonly onClose: () => void;
}

/** What an act gives that somebody has to see. */
type Shown =
  | { readonly kind: 'claim'; readonly value: ClaimedDevice }
  | { readonly kind: 'code'; readonly value: PairCode }
  | { readonly kind: 'erased'; readonly value: ErasedDevice };

/** The dialog of one act; for what is shown only once, a second one follows. */
export function ActDialog(props: ActDialogProps): ReactNode {
  const { act, device, needs, onClose } = props;
  const words = ACT_WORDS[act];
  const [value, setValue] = useState(() => valueOf(act, device));
  const { run, isBusy, problem, result } = useAct(
    (reason: string) => perform({ act, id: device.id, reason, value }),
    {
      // Lists of devices and all that the page shows of this one.
      changes: [keyOf('/v1/devices')],
      onDone: (shown) => {
        if (shown === undefined) onClose();
      },
    },
  );
  if (result !== undefined) return <ShownOnce shown={result} id={device.id} onClose={onClose} />;
  const field = FIELDS[act];
  return (
    <Confirm
      isOpen
      title={`${words.label}: ${device.id}`}
      action={words.label}
      {...(words.isTyped === true && { typed: device.id })}
      asksReason={act !== 'claim' && act !== 'pair-code'}
      isDangerous={words.isDangerous === true}
      isBusy={isBusy}
      problem={<ProblemMessage error={problem} />}
      onConfirm={run}
      onClose={onClose}
    >
      <p>{words.happens}</p>
      <p>{words.stays}</p>
      {needs !== 'nothing' && <p>{NEEDS[needs]}</p>}
      {field !== undefined && (
        <TextInput
          {...field}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
      )}
    </Confirm>
  );
}

const NEEDS = {
  'step-up': 'The server will ask you to show your second factor again.',
  'second-person': 'A second person has to approve it before it is done.',
} as const;

const FIELDS: Partial<Record<MenuAct, { readonly label: string; readonly description: string }>> = {
  'set-group': { label: 'Group', description: 'Empty for none.' },
  'set-tags': {
    label: 'Tags',
    description: 'Lower-case words with commas between them. Empty for none.',
  },
  'set-hardware': { label: 'Hardware', description: 'As releases name it, such as thermo-a.' },
};

function valueOf(act: MenuAct, { group, tags, hardware }: DeviceView): string {
  if (act === 'set-group') return group;
  if (act === 'set-tags') return tags?.join(', ') ?? '';
  return hardware ?? '';
}

async function perform({
  act,
  id,
  reason,
  value,
}: {
  act: MenuAct;
  id: string;
  reason: string;
  value: string;
}): Promise<Shown | undefined> {
  const send = <T,>(body: object): Promise<T> =>
    ask<T>(`${pathOf(id)}/${act}`, { method: 'POST', body });
  if (act === 'claim') return { kind: 'claim', value: await send({}) };
  if (act === 'pair-code') return { kind: 'code', value: await send({}) };
  if (act === 'erase') return { kind: 'erased', value: await send({ reason }) };
  if (act === 'set-group') await send({ group: value.trim(), reason });
  else if (act === 'set-tags') await send({ tags: tagsIn(value), reason });
  else if (act === 'set-hardware') await send({ hardware: value.trim(), reason });
  else await send({ reason });
  return undefined;
}

function ShownOnce({
  shown,
  id,
  onClose,
}: {
  readonly shown: Shown;
  readonly id: string;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Modal
      opened
      onClose={onClose}
      title={TITLES[shown.kind]}
      size="lg"
      closeOnClickOutside={false}
    >
      {shown.kind === 'claim' && <ClaimSecret claim={shown.value.claim} id={id} />}
      {shown.kind === 'code' && <PairSecret code={shown.value} />}
      {shown.kind === 'erased' && <Erased erased={shown.value} />}
    </Modal>
  );
}

const TITLES = { claim: 'The new claim', code: 'The pairing code', erased: 'Erased' } as const;

function Erased({ erased: { keys, pending, isScrubbed } }: { erased: ErasedDevice }): ReactNode {
  const isWhole = pending.length === 0 && isScrubbed;
  return (
    <Message tone={isWhole ? 'good' : 'warn'} title={`${keys} keys are destroyed.`}>
      {isWhole && 'What the device has sent until now cannot be read any more, here or in backups.'}
      {pending.length > 0 &&
        `These backups could not be reached yet, and are tried again: ${pending.join(', ')}. `}
      {!isScrubbed && 'The disk still holds traces in its write-ahead log; they go by themselves.'}
    </Message>
  );
}
