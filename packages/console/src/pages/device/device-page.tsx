/** The page of one device. @module */
import type { DeviceDetail } from '@holdfast/protocol/api';
import type { ComponentType, ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { DeviceState } from '../../parts/device-state.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Page } from '../../parts/page.tsx';
import { NotFoundPage } from '../not-found-page.tsx';
import { ActMenu } from './acts/act-menu.tsx';
import { type DeviceTab, DEVICE_TABS, DeviceTabs, deviceTabOf } from './device-tabs.tsx';
import { Presence } from './presence.tsx';
import { AccessTab } from './tabs/access-tab.tsx';
import { CommandsTab } from './tabs/commands-tab.tsx';
import { FirmwareTab } from './tabs/firmware-tab.tsx';
import { IdentityTab } from './tabs/identity-tab.tsx';
import { OverviewTab } from './tabs/overview-tab.tsx';
import { ReadingsTab } from './tabs/readings-tab.tsx';
import { RefusalsTab } from './tabs/refusals-tab.tsx';
import { type Rights, useDevice, useRights } from './use-device.ts';
import styles from './device-page.module.css';

/** What every part of the page gets. */
export interface TabProps {
  readonly detail: DeviceDetail;
  readonly rights: Rights;
}

const TABS: Readonly<Record<DeviceTab, ComponentType<TabProps>>> = {
  overview: OverviewTab,
  readings: ReadingsTab,
  refusals: RefusalsTab,
  commands: CommandsTab,
  firmware: FirmwareTab,
  access: AccessTab,
  identity: IdentityTab,
};

/** The page. */
export function DevicePage(): ReactNode {
  const { id = '', tab: wanted = 'overview' } = useParams();
  const tab = deviceTabOf(wanted);
  if (tab === undefined) return <NotFoundPage />;
  return <OneDevice key={id} id={id} tab={tab} />;
}

function OneDevice({ id, tab }: { readonly id: string; readonly tab: DeviceTab }): ReactNode {
  const detail = useDevice(id);
  const rights = useRights(id);
  if (detail.data === undefined) {
    return (
      <Page title={id}>
        {detail.error?.status === 404 ? <NoSuchDevice id={id} /> : null}
        {detail.error?.status === 404 ? null : <ProblemMessage error={detail.error} />}
        {detail.error === null && <Loading what={id} />}
      </Page>
    );
  }
  const { device } = detail.data;
  const Tab = TABS[tab];
  const label = DEVICE_TABS.find(({ name }) => name === tab)?.label ?? '';
  return (
    <Page
      name={`${label} of ${id}`}
      title={
        <span className={styles['title']}>
          <span className={styles['id']}>{id}</span>
          <DeviceState state={device.state} />
        </span>
      }
      intro={<Presence device={device} />}
      actions={<ActMenu device={device} rights={rights} />}
    >
      <DeviceTabs id={id} current={tab} />
      {/* What is shown may be old by now; the person is told why. */}
      <ProblemMessage error={detail.error} />
      <Tab detail={detail.data} rights={rights} />
    </Page>
  );
}

function NoSuchDevice({ id }: { readonly id: string }): ReactNode {
  return (
    <Empty
      title={`There is no device ${id}, or you may not see it`}
      actions={<Link to="/devices">See all devices</Link>}
    >
      Look at the id again, or ask whoever runs this server for the right to see it.
    </Empty>
  );
}
