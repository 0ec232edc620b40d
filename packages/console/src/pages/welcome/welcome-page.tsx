/** Connect a device: its claim, the commands for it, and whether its first reading has come. @module */
import type { ClaimedDevice, DeviceDetail, ServerInfo } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useAsk } from '../../api/use-ask.ts';
import { useMe } from '../../api/use-me.ts';
import { Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Page } from '../../parts/page.tsx';
import { Panel } from '../../parts/panel.tsx';
import { AddDevice } from './add-device.tsx';
import { ClaimPanel } from './claim-panel.tsx';
import { EnrollPanel } from './enroll-panel.tsx';
import { type Place, placeOf } from './first-steps-text.ts';
import { LivePanel } from './live-panel.tsx';
import { SendPanel } from './send-panel.tsx';
import styles from './welcome.module.css';

/** The page: without a device it asks for one, with `?device=` it goes on with that. */
export function WelcomePage(): ReactNode {
  const [search, setSearch] = useSearchParams();
  const [claimed, setClaimed] = useState<ClaimedDevice>();
  const server = useAsk<ServerInfo>('/v1/server');
  const id = search.get('device') ?? '';
  const onClaimed = (made: ClaimedDevice): void => {
    setClaimed(made);
    setSearch({ device: made.device.id }, { replace: true });
  };
  return (
    <Page
      title={id === '' ? 'Connect your first device' : `Connect ${id}`}
      intro="Every device has an identity of its own, and no message is believed before it is verified. Here you give one device its identity and see its first verified reading arrive."
      actions={
        <Button component={Link} to="/" variant="default">
          {id === '' ? 'Not now' : 'To the overview'}
        </Button>
      }
    >
      <ProblemMessage error={server.error} />
      {id === '' && (
        <div className={styles['columns']}>
          <AddDevice onClaimed={onClaimed} />
          <WhatComes />
        </div>
      )}
      {id !== '' && server.data === undefined && <Loading what="the server" />}
      {id !== '' && server.data !== undefined && (
        <Steps
          place={placeOf(id, server.data)}
          claimed={claimed?.device.id === id ? claimed : undefined}
          onClaimed={onClaimed}
          onAnother={() => {
            setClaimed(undefined);
            setSearch({}, { replace: true });
          }}
        />
      )}
    </Page>
  );
}

function WhatComes(): ReactNode {
  return (
    <Panel title="What comes next">
      <ol className={styles['next']}>
        <li>
          A claim: a text and a QR code, good once, by which the device proves that it is yours.
        </li>
        <li>On the device, one command makes its key and gets its certificate.</li>
        <li>It sends a signed reading, and this page tells you when it is verified.</li>
      </ol>
      <p className={styles['hint']}>
        No device at hand? A computer with <code>mosquitto_pub</code> or Python will do.
      </p>
    </Panel>
  );
}

function Steps({
  place,
  claimed,
  onClaimed,
  onAnother,
}: {
  readonly place: Place;
  /** With the claim, which is there only right after it was made. */
  readonly claimed: ClaimedDevice | undefined;
  readonly onClaimed: (made: ClaimedDevice) => void;
  readonly onAnother: () => void;
}): ReactNode {
  const { id } = place;
  const me = useMe();
  const detail = useAsk<DeviceDetail>(`/v1/devices/${id}`);
  const device = detail.data?.device ?? claimed?.device;
  if (device === undefined) {
    if (detail.error === null) return <Loading what={id} />;
    return (
      <>
        <ProblemMessage error={detail.error} />
        <div>
          <Button variant="default" onClick={onAnother}>
            Connect another device
          </Button>
        </div>
      </>
    );
  }
  const maySeeRefusals = me.data?.may?.includes('refusal:read') === true;
  return (
    <div className={styles['columns']}>
      <div className={styles['steps']}>
        <ClaimPanel
          device={device}
          claim={claimed?.claim}
          state={detail.data?.claim}
          onClaimed={onClaimed}
          onAnother={onAnother}
        />
        <EnrollPanel place={place} />
        <SendPanel place={place} />
      </div>
      <div className={styles['live']}>
        <LivePanel
          key={id}
          id={id}
          since={device.stateAt ?? device.createdAt}
          maySeeRefusals={maySeeRefusals}
          onAnother={onAnother}
        />
      </div>
    </div>
  );
}
