/** Who the device is: certificates, history, sessions. @module */
import type { ReactNode } from 'react';
import type { TabProps } from '../device-page.tsx';
import { CertificatesPanel } from '../identity/certificates-panel.tsx';
import { HistoryPanel } from '../identity/history-panel.tsx';
import { SessionsPanel } from '../identity/sessions-panel.tsx';
import { useDeviceActs } from '../identity/use-device-acts.ts';

/** The part of the page. */
export function IdentityTab({ detail: { device, certificates } }: TabProps): ReactNode {
  const acts = useDeviceActs(device.id);
  return (
    <>
      <CertificatesPanel certificates={certificates} acts={acts.acts ?? []} />
      <HistoryPanel state={acts} />
      <SessionsPanel id={device.id} />
    </>
  );
}
