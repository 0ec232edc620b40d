/** What the device may do, and why. @module */
import type { ReactNode } from 'react';
import { ApiKeysPanel } from '../access/api-keys.tsx';
import { DefaultTopics } from '../access/default-topics.tsx';
import { WhyPanel } from '../access/why-panel.tsx';
import type { TabProps } from '../device-page.tsx';

/** The part of the page. */
export function AccessTab({ detail: { device }, rights }: TabProps): ReactNode {
  return (
    <>
      {rights.reads !== undefined && <DefaultTopics id={device.id} mayAsk={rights.reads.policy} />}
      {rights.reads?.policy === true && <WhyPanel id={device.id} />}
      <ApiKeysPanel id={device.id} may={rights.get('api-key')} />
    </>
  );
}
