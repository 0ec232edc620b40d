/** What happened to the device lately. @module */
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Panel } from '../../../parts/panel.tsx';
import { tabPath } from '../device-tabs.tsx';
import { ActList } from './act-list.tsx';
import { useDeviceActs } from './use-device-acts.ts';

const SHOWN = 5;

/** The panel; nothing while there is nothing to tell. */
export function LatelyPanel({ id }: { readonly id: string }): ReactNode {
  const { acts } = useDeviceActs(id);
  if (acts === undefined || acts.length === 0) return null;
  return (
    <Panel
      title="What happened lately"
      actions={<Link to={tabPath(id, 'identity')}>Whole history</Link>}
      isFlush
    >
      <ActList acts={acts.slice(0, SHOWN)} isShort />
    </Panel>
  );
}
