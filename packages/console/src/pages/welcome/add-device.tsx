/** Names a device, and makes its claim. @module */
import type { ClaimedDevice, DeviceView } from '@holdfast/protocol/api';
import { Button, Group, Radio, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { useAct } from '../../parts/use-act.tsx';

type DeviceClass = DeviceView['class'];

const CLASSES: readonly {
  readonly value: DeviceClass;
  readonly label: string;
  readonly what: string;
}[] = [
  { value: 'sensor', label: 'Sensor', what: 'It measures and reports. The usual choice.' },
  { value: 'actuator', label: 'Actuator', what: 'It acts on commands, and reports what it did.' },
  { value: 'gateway', label: 'Gateway', what: 'It speaks for others, and may send far more.' },
  {
    value: 'service',
    label: 'Service',
    what: 'A program behind the scenes that hears what all devices say. No thing out there.',
  },
];

/** A form. */
export function AddDevice({
  onClaimed,
}: {
  readonly onClaimed: (claimed: ClaimedDevice) => void;
}): ReactNode {
  const [id, setId] = useState('');
  const [deviceClass, setDeviceClass] = useState<DeviceClass>('sensor');
  const add = useAct(
    (body: object) => ask<ClaimedDevice>('/v1/devices', { method: 'POST', body }),
    {
      changes: [keyOf('/v1/devices'), keyOf('/v1/overview')],
      onDone: onClaimed,
    },
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.run({ id: id.trim(), class: deviceClass });
  };
  return (
    <Panel title="1. Name it" note="The name is the identity of the device: it stays as it is.">
      <form onSubmit={submit}>
        <Stack gap="md" maw={520}>
          <TextInput
            label="Name of the device"
            description="Letters, digits, dots, hyphens and underscores, such as thermostat-1."
            value={id}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={64}
            required
            withAsterisk={false}
            onChange={(event) => setId(event.currentTarget.value)}
          />
          <Radio.Group
            label="Class"
            description="It bounds what the device may send and hear."
            value={deviceClass}
            onChange={(value) =>
              setDeviceClass(CLASSES.find((one) => one.value === value)?.value ?? 'sensor')
            }
          >
            <Stack gap="xs" mt="xs">
              {CLASSES.map(({ value, label, what }) => (
                <Radio key={value} value={value} label={label} description={what} />
              ))}
            </Stack>
          </Radio.Group>
          <ProblemMessage error={add.problem} />
          <Group>
            <Button type="submit" disabled={id.trim() === ''} loading={add.isBusy}>
              Make its claim
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}
