/** Says what the device is to run. @module */
import type { DeviceUpdateView, DeviceView, ReleaseView } from '@holdfast/protocol/api';
import { NativeSelect } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../../api/ask.ts';
import { keyOf, useAsk } from '../../../api/use-ask.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { useAct } from '../../../parts/use-act.tsx';
import { pathOf } from '../use-device.ts';

/** Stands for no release. */
const NONE = '';

/** The dialog. */
export function AssignRelease({
  device: { id, hardware },
  update,
  onClose,
}: {
  readonly device: DeviceView;
  readonly update: DeviceUpdateView | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const releases = useAsk<{ readonly releases: readonly ReleaseView[] }>('/v1/firmware/releases');
  const [release, setRelease] = useState(update?.assigned?.release ?? NONE);
  const path = `${pathOf(id)}/update`;
  const { run, isBusy, problem } = useAct(
    (reason: string) =>
      ask(path, { method: 'PUT', body: { release: release === NONE ? null : release, reason } }),
    { changes: [keyOf(pathOf(id))], onDone: onClose },
  );
  const fitting = (releases.data?.releases ?? []).filter(
    ({ facts, isStored }) =>
      isStored && (hardware === undefined || facts.hardware.includes(hardware)),
  );
  return (
    <Confirm
      isOpen
      title={`What ${id} is to run`}
      action="Assign it"
      asksReason
      isBusy={isBusy}
      problem={<ProblemMessage error={releases.error ?? problem} />}
      onConfirm={run}
      onClose={onClose}
    >
      <p>
        The device is told at once. It installs the release only if the people who sign releases
        have signed it, and goes back by itself if the trial fails.
      </p>
      <NativeSelect
        label="Release"
        description={
          hardware === undefined
            ? 'All releases: its hardware is not known.'
            : `Those for ${hardware}, the hardware of this device.`
        }
        value={release}
        onChange={(event) => setRelease(event.currentTarget.value)}
        data={[
          { value: NONE, label: 'Nothing else than now' },
          ...fitting.map((one) => ({ value: one.id, label: one.id })),
        ]}
      />
    </Confirm>
  );
}
