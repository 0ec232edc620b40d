/** How the device is: what is wrong first, then its last values, then what it is. @module */
import type {
  DeviceSessions,
  DeviceUpdateView,
  DeviceView,
  RefusalView,
} from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useAsk } from '../../../api/use-ask.ts';
import { CopyText } from '../../../parts/copy.tsx';
import { DeviceState } from '../../../parts/device-state.tsx';
import { Fact, Facts } from '../../../parts/facts.tsx';
import { Message } from '../../../parts/message.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { Time } from '../../../parts/time.tsx';
import { useNowMs } from '../../../parts/use-now.ts';
import { whoText } from '../../audit/act-text.ts';
import type { TabProps } from '../device-page.tsx';
import { DEVICE_TABS, tabPath } from '../device-tabs.tsx';
import { LatelyPanel } from '../identity/lately-panel.tsx';
import { Online, Tags } from '../presence.tsx';
import { useReadingStream } from '../readings/use-reading-stream.ts';
import { LastValues } from '../series/last-values.tsx';
import { useRenewSeries } from '../series/use-points.ts';
import { deviceTroubles } from '../troubles.ts';
import { useDeviceRefusals } from '../use-device-refusals.ts';
import { pathOf } from '../use-device.ts';
import styles from './overview-tab.module.css';

const EVERY_MS = 30_000;

/** The part of the page. */
export function OverviewTab({ detail, rights }: TabProps): ReactNode {
  const { device } = detail;
  const path = pathOf(device.id);
  const sessions = useAsk<DeviceSessions>(`${path}/sessions`, { everyMs: EVERY_MS });
  const update = useAsk<DeviceUpdateView>(`${path}/update`, { everyMs: EVERY_MS });
  const { refusals = [], hasOlder } = useDeviceRefusals(device.id, rights.reads?.refusals === true);
  const renew = useRenewSeries(device.id);
  useReadingStream(device.id, { onReadings: renew });
  return (
    <>
      <Troubles
        detail={detail}
        sessions={sessions.data}
        update={update.data}
        refusals={refusals}
        hasOlderRefusals={hasOlder}
      />
      <div className={styles['columns']}>
        <div className={styles['side']}>
          <LastValues id={device.id} />
          <LatelyPanel id={device.id} />
        </div>
        <div className={styles['side']}>
          <NowPanel device={device} sessions={sessions.data} />
          <WhatPanel detail={detail} update={update.data} />
        </div>
      </div>
    </>
  );
}

function Troubles({
  detail,
  sessions,
  update,
  refusals,
  hasOlderRefusals,
}: {
  readonly detail: TabProps['detail'];
  readonly sessions: DeviceSessions | undefined;
  readonly update: DeviceUpdateView | undefined;
  readonly refusals: readonly RefusalView[];
  readonly hasOlderRefusals: boolean;
}): ReactNode {
  const nowMs = useNowMs();
  const found = deviceTroubles({ detail, sessions, update, refusals, hasOlderRefusals, nowMs });
  const { id } = detail.device;
  if (found.length === 0) {
    return <Message tone="good" title="Nothing is wrong with it, as far as the server can see." />;
  }
  return (
    <div className={styles['troubles']}>
      {found.map(({ tone, title, text, tab }) => {
        const label = DEVICE_TABS.find(({ name }) => name === tab)?.label;
        return (
          <Message key={title} tone={tone} title={title}>
            {text}{' '}
            {tab !== undefined && <Link to={tabPath(id, tab)}>See {label?.toLowerCase()}</Link>}
          </Message>
        );
      })}
    </div>
  );
}

function NowPanel({
  device,
  sessions,
}: {
  readonly device: DeviceView;
  readonly sessions: DeviceSessions | undefined;
}): ReactNode {
  const { state, stateAt, stateBy, stateReason } = device;
  const connection = sessions?.connection;
  const queued = sessions?.session?.queued ?? 0;
  return (
    <Panel title="Now">
      <Facts>
        <Fact name="State">
          <DeviceState state={state} />
          {stateAt !== undefined && (
            <>
              {' '}
              for <Time at={stateAt} isSpan />
            </>
          )}
        </Fact>
        {stateBy !== '' && <Fact name="By">{whoText({ principal: stateBy })}</Fact>}
        {stateReason !== '' && <Fact name="Why">{stateReason}</Fact>}
        <Fact name="Connection">
          {connection === undefined ? (
            <Online device={device} />
          ) : (
            <>
              <Online device={device} /> for <Time at={connection.since} isSpan />
            </>
          )}
        </Fact>
        {connection !== undefined && (
          <Fact name="Address">
            <CopyText value={connection.address} label="the address" />
          </Fact>
        )}
        {connection !== undefined && (
          <Fact name="Speaks">
            {connection.protocol} over {connection.tls ?? connection.transport}
          </Fact>
        )}
        {queued > 0 && <Fact name="Waiting for it">{queued} messages</Fact>}
      </Facts>
    </Panel>
  );
}

function WhatPanel({
  detail: { device, certificates },
  update,
}: {
  readonly detail: TabProps['detail'];
  readonly update: DeviceUpdateView | undefined;
}): ReactNode {
  const { id, group, tags, hardware, hasOwner, createdAt, certificateEndsAt, firmware } = device;
  const current = certificates.findLast(
    ({ status }) => status === 'current' || status === 'pending',
  );
  return (
    <Panel title="What it is" actions={<Link to={tabPath(id, 'identity')}>Identity</Link>}>
      <Facts>
        <Fact name="Id">
          <CopyText value={id} label="the id" />
        </Fact>
        <Fact name="Class">{device.class}</Fact>
        <Fact name="Group">{group === '' ? 'none' : group}</Fact>
        <Fact name="Tags">
          {tags === undefined || tags.length === 0 ? 'none' : <Tags tags={tags} />}
        </Fact>
        <Fact name="Hardware">{hardware ?? 'not known'}</Fact>
        <Fact name="Runs">{firmware?.runs ?? update?.reported?.runs ?? 'not known'}</Fact>
        <Fact name="Owner">{hasOwner === true ? 'paired with an app' : 'none'}</Fact>
        <Fact name="Certificate">
          {current === undefined || certificateEndsAt === undefined ? (
            'none that counts'
          ) : (
            <>
              ends <Time at={certificateEndsAt} />
            </>
          )}
        </Fact>
        <Fact name="Added">
          <Time at={createdAt} />
        </Fact>
      </Facts>
    </Panel>
  );
}
