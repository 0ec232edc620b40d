/** What the device runs, what it is to run, and how that goes. @module */
import type { DeviceUpdateView } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useAsk } from '../../../api/use-ask.ts';
import { Loading } from '../../../parts/empty.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { Panel } from '../../../parts/panel.tsx';
import type { TabProps } from '../device-page.tsx';
import { AssignRelease } from '../firmware/assign-release.tsx';
import { TpmPanel } from '../firmware/tpm-panel.tsx';
import { UpdateFacts } from '../firmware/update-facts.tsx';
import { UpdateTimeline } from '../firmware/update-timeline.tsx';
import { pathOf } from '../use-device.ts';
import styles from '../firmware/update-facts.module.css';

/** Reports of a device are no events of the stream: they are asked for. */
const EVERY_MS = 10_000;

/** The part of the page. */
export function FirmwareTab({ detail: { device, tpm }, rights }: TabProps): ReactNode {
  const update = useAsk<DeviceUpdateView>(`${pathOf(device.id)}/update`, { everyMs: EVERY_MS });
  const [isOpen, setIsOpen] = useState(false);
  const may = rights.get('assign-release');
  const { data, error } = update;
  return (
    <>
      <Panel
        title="Firmware"
        note="What it runs, as it tells, and what it is to run."
        actions={
          <Button
            variant="default"
            disabled={may?.isPossible === false}
            title={may?.why ?? ''}
            onClick={() => setIsOpen(true)}
          >
            Assign a release
          </Button>
        }
      >
        {may?.why !== undefined && <p className={styles['note']}>{may.why}</p>}
        <ProblemMessage error={error} />
        {data === undefined && error === null && <Loading what="its firmware" />}
        {data !== undefined && <UpdateFacts update={data} hardware={device.hardware} />}
      </Panel>
      <UpdateTimeline id={device.id} />
      <TpmPanel tpm={tpm} />
      {isOpen && <AssignRelease device={device} update={data} onClose={() => setIsOpen(false)} />}
    </>
  );
}
