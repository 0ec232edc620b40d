/** Adds one device, and shows its claim. @module */
import type { ClaimedDevice, DeviceView } from '@holdfast/protocol/api';
import { Button, Group, NativeSelect, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { DialogButtons } from '../../parts/dialog.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { ClaimSecret } from '../device/acts/act-secrets.tsx';
import { tagsIn } from '../device/acts/act-words.ts';

const CLASSES: readonly { readonly value: DeviceView['class']; readonly label: string }[] = [
  { value: 'sensor', label: 'sensor: it measures and reports' },
  { value: 'actuator', label: 'actuator: it acts on commands' },
  { value: 'gateway', label: 'gateway: it speaks for others, and may send far more' },
  { value: 'service', label: 'service: a program that hears what all devices say' },
];

interface AddOneProps {
  /** A secret is shown from now on. */
  readonly onClaimed: () => void;
  readonly onClose: () => void;
}

/** The form, and then the claim. */
export function AddOne({ onClaimed, onClose }: AddOneProps): ReactNode {
  const [id, setId] = useState('');
  const [deviceClass, setDeviceClass] = useState<DeviceView['class']>('sensor');
  const [group, setGroup] = useState('');
  const [tags, setTags] = useState('');
  const add = useAct(
    (body: object) => ask<ClaimedDevice>('/v1/devices', { method: 'POST', body }),
    { changes: [keyOf('/v1/devices'), keyOf('/v1/device-facets')], onDone: onClaimed },
  );
  if (add.result !== undefined) {
    const { device, claim } = add.result;
    const another = (): void => {
      setId('');
      add.reset();
    };
    return (
      <Stack gap="md">
        <ClaimSecret claim={claim} id={device.id} />
        <Group justify="flex-end">
          <Button variant="default" component={Link} to={`/devices/${device.id}`}>
            Open its page
          </Button>
          <Button variant="default" onClick={another}>
            Add another
          </Button>
          <Button onClick={onClose}>Done</Button>
        </Group>
      </Stack>
    );
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.run({ id: id.trim(), class: deviceClass, group: group.trim(), tags: tagsIn(tags) });
  };
  const plain = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false } as const;
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label="Name of the device"
          description="Its identity, for good: letters, digits, dots, hyphens, underscores."
          placeholder="thermostat-1"
          value={id}
          maxLength={64}
          required
          data-autofocus
          {...plain}
          onChange={(event) => setId(event.currentTarget.value)}
        />
        <NativeSelect
          label="Class"
          description="It bounds what the device may send and hear."
          value={deviceClass}
          data={CLASSES.map(({ value, label }) => ({ value, label }))}
          onChange={(event) => {
            const { value } = event.currentTarget;
            setDeviceClass(CLASSES.find((one) => one.value === value)?.value ?? 'sensor');
          }}
        />
        <TextInput
          label="Group"
          description="The policy can say what may be done to the devices of a group. Empty for none."
          value={group}
          maxLength={64}
          {...plain}
          onChange={(event) => setGroup(event.currentTarget.value)}
        />
        <TextInput
          label="Tags"
          description="Words by which you find it again, with spaces between them."
          value={tags}
          {...plain}
          onChange={(event) => setTags(event.currentTarget.value)}
        />
        <ProblemMessage error={add.problem} />
        <DialogButtons
          action="Add it, and make its claim"
          isBusy={add.isBusy}
          isDisabled={id.trim() === ''}
          onClose={onClose}
        />
      </Stack>
    </form>
  );
}
